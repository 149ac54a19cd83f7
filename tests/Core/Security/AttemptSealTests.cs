using System.Security.Cryptography;
using System.Text;
using OllamaMax.Jobs;
using OllamaMax.Security;

namespace OllamaMax.Core.Tests.Security;

public sealed class AttemptSealTests : IDisposable
{
    private static readonly byte[] Text = Encoding.UTF8.GetBytes("what nobody else is to read");
    private static readonly Attempt First = new(1, "worker-a", "0123456789abcdef");

    private readonly SealingKey _owner = SealingKey.Create();
    private readonly ECDsa _identity = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    [Theory]
    [InlineData(SealedPart.Job)]
    [InlineData(SealedPart.Resume)]
    [InlineData(SealedPart.Output)]
    public void Open_SameAttemptOnTheOtherSide_IsTheText(SealedPart part)
    {
        WorkersSide().Open(part, 7, OwnersSide(First).Seal(part, 7, Text)).ShouldBe(Text);
        OwnersSide(First).Open(part, 7, WorkersSide().Seal(part, 7, Text)).ShouldBe(Text);
    }

    [Fact]
    public void Open_SealedForAnythingElse_IsNull()
    {
        byte[] chunk = WorkersSide().Seal(SealedPart.Output, 7, Text);

        OwnersSide(First).Open(SealedPart.Output, 8, chunk).ShouldBeNull("another place");
        OwnersSide(First).Open(SealedPart.Job, 7, chunk).ShouldBeNull("the other direction");
        WorkersSide().Open(SealedPart.Resume, 0, OwnersSide(First).Seal(SealedPart.Job, 0, Text)).ShouldBeNull("another part");
        OwnersSide(First with { Number = 2 }).Open(SealedPart.Output, 7, chunk).ShouldBeNull("another attempt");
        OwnersSide(First with { Nonce = "fedcba9876543210" }).Open(SealedPart.Output, 7, chunk).ShouldBeNull("another nonce");
        OwnersSide(First with { WorkerId = "worker-b" }).Open(SealedPart.Output, 7, chunk).ShouldBeNull("another worker");
        OwnersSide(First, "another job").Open(SealedPart.Output, 7, chunk).ShouldBeNull();
        using SealingKey stranger = SealingKey.Create();
        AttemptSeal.Of(stranger.Agree(_identity.ExportSubjectPublicKeyInfo()).ShouldNotBeNull(), stranger.PublicKey, "a job", First)
            .Open(SealedPart.Output, 7, chunk).ShouldBeNull("another owner");
    }

    [Fact]
    public void Open_AnyByteChangedOrCut_IsNull()
    {
        byte[] chunk = WorkersSide().Seal(SealedPart.Output, 0, Text);

        for (int i = 0; i < chunk.Length; i++)
        {
            byte[] changed = [.. chunk];
            changed[i] ^= 1;
            OwnersSide(First).Open(SealedPart.Output, 0, changed).ShouldBeNull();
            OwnersSide(First).Open(SealedPart.Output, 0, chunk.AsSpan(0, i)).ShouldBeNull();
        }
    }

    [Fact]
    public void Seal_SameTextTwice_DiffersAndHasNothingOfIt()
    {
        byte[] once = WorkersSide().Seal(SealedPart.Output, 0, Text);
        byte[] again = WorkersSide().Seal(SealedPart.Output, 0, Text);

        once.ShouldNotBe(again);
        once.AsSpan().IndexOf(Text.AsSpan(0, 4)).ShouldBe(-1);
    }

    [Fact]
    public void Agree_NoP256Key_IsNull()
    {
        using ECDsa larger = ECDsa.Create(ECCurve.NamedCurves.nistP384);

        _owner.Agree([1, 2, 3]).ShouldBeNull();
        _owner.Agree(larger.ExportSubjectPublicKeyInfo()).ShouldBeNull();
    }

    public void Dispose()
    {
        _owner.Dispose();
        _identity.Dispose();
    }

    private AttemptSeal OwnersSide(Attempt attempt, string job = "a job") =>
        AttemptSeal.Of(_owner.Agree(_identity.ExportSubjectPublicKeyInfo()).ShouldNotBeNull(), _owner.PublicKey, job, attempt);

    private AttemptSeal WorkersSide()
    {
        using SealingKey worker = SealingKey.Of(_identity);
        return AttemptSeal.Of(worker.Agree(_owner.PublicKey).ShouldNotBeNull(), _owner.PublicKey, "a job", First);
    }
}
