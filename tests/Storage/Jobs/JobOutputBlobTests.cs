using System.Text;
using OllamaMax.Jobs;
using OllamaMax.Security;
using OllamaMax.Storage.Jobs;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests.Jobs;

public sealed class JobOutputBlobTests(AzuriteFixture azurite)
{
    private readonly StorageAccount _account = new(azurite.ConnectionString);
    private readonly string _id = JobId.New(TimeProvider.System);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Append_OneAfterTheOther_AreReadInOrder()
    {
        JobOutputBlob writer = await BegunAsync(1);

        (await writer.AppendAsync(1, Tokens(0, "ab"), Cancellation)).ShouldBeTrue();
        (await writer.AppendAsync(1, Tokens(2, "c"), Cancellation)).ShouldBeTrue();

        JobOutputBlob reader = Open();
        Text(await reader.ReadAsync(Cancellation)).ShouldBe("abc");
        reader.Facts.Attempt.ShouldBe(1);
        reader.WrittenAt.ShouldNotBeNull();
    }

    [Fact]
    public async Task Append_TakenButTheAnswerLost_IsNotTakenTwice()
    {
        JobOutputBlob writer = await BegunAsync(1);
        JobOutputBlob unaware = Open();
        await unaware.ReadAsync(Cancellation);
        await writer.AppendAsync(1, Tokens(0, "ab"), Cancellation);

        // It has not heard that its append was taken, tries again, and has more by now.
        (await unaware.AppendAsync(1, Tokens(0, "ab"), Cancellation)).ShouldBeTrue();
        (await unaware.AppendAsync(1, Tokens(0, "abc"), Cancellation)).ShouldBeTrue();

        Text(await Open().ReadAsync(Cancellation)).ShouldBe("abc");
    }

    [Fact]
    public async Task Append_OvertakenByANewerAttempt_IsRefused()
    {
        JobOutputBlob zombie = await BegunAsync(1);
        await zombie.AppendAsync(1, Tokens(0, "ab"), Cancellation);
        JobOutputBlob next = await BegunAsync(2);
        await next.AppendAsync(2, Tokens(2, "c"), Cancellation);

        (await zombie.AppendAsync(1, Tokens(2, "x"), Cancellation)).ShouldBeFalse();

        Text(await Open().ReadAsync(Cancellation)).ShouldBe("abc");
        zombie.Log.Fence.ShouldBeNull();
    }

    [Fact]
    public async Task Begin_WhileTheOldOneStillWrites_GoesOnAfterItsLastChunk()
    {
        JobOutputBlob zombie = await BegunAsync(1);
        JobOutputBlob next = Open();
        await next.ReadAsync(Cancellation);
        await zombie.AppendAsync(1, Tokens(0, "ab"), Cancellation);

        IReadOnlyList<Chunk>? read = await next.BeginAsync(new Attempt(2, "w", "n"), Cancellation);

        Text(read.ShouldNotBeNull()).ShouldBe("ab");
        next.Log.Tokens.Count.ShouldBe(2);
        next.Log.From.ShouldBe(2);
    }

    /// <summary>Who was taken for lost has come to the end all the same.</summary>
    [Fact]
    public async Task Begin_OldOneHasJustAnswered_HasItsEndAndNothingToRun()
    {
        JobOutputBlob zombie = await BegunAsync(1);
        JobOutputBlob next = Open();
        await next.ReadAsync(Cancellation);
        await zombie.AppendAsync(1, Tokens(0, "ab") with { End = new AttemptEnd { Reason = EndReason.Length } }, Cancellation);

        (await next.BeginAsync(new Attempt(2, "w", "n"), Cancellation)).ShouldNotBeNull();

        next.Log.End.ShouldNotBeNull().Reason.ShouldBe(EndReason.Length);
        JobOutputBlob reader = Open();
        Text(await reader.ReadAsync(Cancellation)).ShouldBe("ab");
        (reader.Log.Attempt, reader.Log.End?.Reason).ShouldBe((2, EndReason.Length), "an edge of an older version goes by that");
    }

    [Fact]
    public async Task Begin_OlderThanTheOneThatStands_IsRefused()
    {
        await BegunAsync(2);

        (await Open().BeginAsync(new Attempt(1, "w", "n"), Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task Fence_RunningAttempt_IsRefusedAndSeesWhy()
    {
        JobOutputBlob writer = await BegunAsync(1);
        JobError cancelled = new(JobErrorKind.Cancelled, "the job was cancelled");

        await Open().FenceAsync(1, cancelled, Cancellation);

        (await writer.AppendAsync(1, Tokens(0, "a"), Cancellation)).ShouldBeFalse();
        writer.Log.Fence.ShouldBe(cancelled);
    }

    [Fact]
    public async Task Append_Deleted_IsRefused()
    {
        JobOutputBlob writer = await BegunAsync(1);
        await Open().DeleteIfExistsAsync(Cancellation);

        (await writer.AppendAsync(1, Tokens(0, "a"), Cancellation)).ShouldBeFalse();
    }

    [Fact]
    public async Task Read_NothingNew_IsNothing()
    {
        JobOutputBlob writer = await BegunAsync(1);
        JobOutputBlob reader = Open();
        (await reader.ReadAsync(Cancellation)).ShouldBeEmpty();
        (await reader.ReadAsync(Cancellation)).ShouldBeEmpty();
        await writer.AppendAsync(1, Tokens(0, "a"), Cancellation);

        Text(await reader.ReadAsync(Cancellation)).ShouldBe("a");
        (await reader.ReadAsync(Cancellation)).ShouldBeEmpty();
    }

    [Fact]
    public async Task OutputUrl_ReadsAndAppends_AndDoesNothingElse()
    {
        await BegunAsync(1);
        string url = await new JobRecordStore(_account, ContentKeys.None).OutputUrlAsync(_id, TimeProvider.System.GetUtcNow().AddMinutes(5), Cancellation);
        JobOutputBlob signed = new(new SignedStorage().AppendBlob(url), seal: null);

        await signed.ReadAsync(Cancellation);
        (await signed.AppendAsync(1, Tokens(0, "a"), Cancellation)).ShouldBeTrue();

        (await Should.ThrowAsync<Azure.RequestFailedException>(() => signed.DeleteIfExistsAsync(Cancellation))).Status.ShouldBe(403);
    }

    private JobOutputBlob Open() => new JobRecordStore(_account, ContentKeys.None).Output(_id);

    private async Task<JobOutputBlob> BegunAsync(int attempt)
    {
        await _account.CreateContainersAsync(Cancellation);
        JobOutputBlob blob = Open();
        await blob.CreateIfNotExistsAsync(Cancellation);
        await blob.ReadAsync(Cancellation);
        (await blob.BeginAsync(new Attempt(attempt, $"w{attempt}", "n"), Cancellation)).ShouldNotBeNull();
        return blob;
    }

    private static Chunk Tokens(int index, string text) =>
        new(index, [.. text.Select(c => (int)c)], [.. text.Select(_ => 1)], Encoding.ASCII.GetBytes(text));

    private static string Text(IEnumerable<Chunk> chunks) => string.Concat(chunks.Select(chunk => Encoding.ASCII.GetString(chunk.Bytes)));
}
