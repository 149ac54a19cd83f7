using System.Security.Cryptography;
using OllamaMax.Models;
using OllamaMax.Storage.Models;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests.Models;

public sealed class StagedBlobTests(AzuriteFixture azurite)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TryTakeAsync_WhileAnotherHasIt_IsNullAndThenGoesOn()
    {
        using TestCatalog test = await StartAsync();
        StagedBlobs staging = new(test.Container, test.Time);
        byte[] content = RandomNumberGenerator.GetBytes(3000);

        StagedBlob first = (await staging.TryTakeAsync("a", Cancel))!;
        await first.RestartAsync("\"one\"", Cancel);
        await first.AppendAsync(content.AsMemory(0, 1000), Cancel);
        StagedBlob? meanwhile = await staging.TryTakeAsync("a", Cancel);
        long seen = await staging.LengthAsync("a", Cancel);
        await first.DisposeAsync();
        await using StagedBlob second = (await staging.TryTakeAsync("a", Cancel))!;
        (long length, string? validator) = (second.Length, second.Validator);
        await second.AppendAsync(content.AsMemory(1000), Cancel);

        meanwhile.ShouldBeNull();
        seen.ShouldBe(1000);
        (length, validator).ShouldBe((1000, "\"one\""));
        (await test.ReadAsync("partial/a")).ShouldBe(content);
    }

    [Fact]
    public async Task RestartAsync_SomethingThere_BeginsAnewAndIsStillHeld()
    {
        using TestCatalog test = await StartAsync();
        StagedBlobs staging = new(test.Container, test.Time);
        await using StagedBlob staged = (await staging.TryTakeAsync("a", Cancel))!;
        await staged.AppendAsync(new byte[10], Cancel);

        await staged.RestartAsync(null, Cancel);
        await staged.AppendAsync(new byte[] { 1, 2 }, Cancel);

        (await test.ReadAsync("partial/a")).ShouldBe([1, 2]);
        (await staging.TryTakeAsync("a", Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task AppendAsync_AfterAnotherHasTakenItOver_FailsAndWritesNothing()
    {
        using TestCatalog test = await StartAsync();
        StagedBlobs staging = new(test.Container, test.Time);
        await using StagedBlob first = (await staging.TryTakeAsync("a", Cancel))!;
        await first.AppendAsync(new byte[10], Cancel);
        // As storage does when a lease is not renewed.
        await new Azure.Storage.Blobs.Specialized.BlobLeaseClient(test.Container.GetBlobClient("partial/a")).BreakAsync(TimeSpan.Zero, cancellationToken: Cancel);
        await using StagedBlob second = (await staging.TryTakeAsync("a", Cancel))!;

        await Should.ThrowAsync<CatalogException>(first.AppendAsync(new byte[10], Cancel));

        (await staging.LengthAsync("a", Cancel)).ShouldBe(10);
        second.Length.ShouldBe(10);
    }

    [Fact]
    public async Task DisposeAsync_NothingCame_LeavesNothing()
    {
        using TestCatalog test = await StartAsync();
        StagedBlobs staging = new(test.Container, test.Time);

        await (await staging.TryTakeAsync("a", Cancel))!.DisposeAsync();

        (await test.Container.GetBlobClient("partial/a").ExistsAsync(Cancel)).Value.ShouldBeFalse();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HashAsync_ContentOfTwoTimes_ReadsOnlyWhatWasNotHashedWhenItCame(bool wasHashed)
    {
        using TestCatalog test = await StartAsync();
        StagedBlobs staging = new(test.Container, test.Time);
        byte[] content = RandomNumberGenerator.GetBytes(3000);
        await using (StagedBlob first = (await staging.TryTakeAsync("a", Cancel, isHashed: wasHashed))!)
        {
            await first.RestartAsync("\"one\"", Cancel);
            await first.AppendAsync(content.AsMemory(0, 1000), Cancel);
        }
        await using StagedBlob second = (await staging.TryTakeAsync("a", Cancel, isHashed: true))!;
        test.Requests.Clear();

        string before = await second.HashAsync(Cancel);
        int read = test.Requests.Lines.Count(line => line.StartsWith("GET", StringComparison.Ordinal));
        await second.AppendAsync(content.AsMemory(1000), Cancel);
        string after = await second.HashAsync(Cancel);

        (before, after, second.Validator).ShouldBe((ModelDigest.Of(content.AsSpan(0, 1000)), ModelDigest.Of(content), "\"one\""));
        read.ShouldBe(wasHashed ? 0 : 1);
        test.Requests.Lines.Count(line => line.StartsWith("GET", StringComparison.Ordinal)).ShouldBe(read);
        await second.RestartAsync(null, Cancel);
        await second.AppendAsync(content.AsMemory(0, 10), Cancel);
        (await second.HashAsync(Cancel)).ShouldBe(ModelDigest.Of(content.AsSpan(0, 10)));
    }

    private async Task<TestCatalog> StartAsync()
    {
        TestCatalog test = new(azurite.ConnectionString);
        await test.Container.CreateIfNotExistsAsync(cancellationToken: Cancel);
        return test;
    }
}
