using System.Text;
using OllamaMax.Edge.Batches;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Orchestrations.Batches;
using OllamaMax.Security;
using OllamaMax.Storage;
using OllamaMax.Storage.Jobs;
using OllamaMax.TestKit;

namespace OllamaMax.Orchestrations.Tests.Edge;

/// <summary>A batch's files, whatever two runs of the activity that writes them do to each other, or whoever erases its tenant's data.</summary>
public sealed class CloseBatchTests : IAsyncLifetime
{
    private const string Tenant = "tenant";

    private readonly StorageAccount _account;
    private readonly BatchStore _batches;
    private readonly FileStore _files;
    private readonly StrategyStore _contents;
    private readonly CloseBatch _close;
    private readonly CloseBatchInput _input = new(NewId(), Pages: 3, NewId(), NewId());

    public CloseBatchTests(AzuriteFixture azurite)
    {
        _account = new(azurite.ConnectionString);
        _batches = new(_account);
        _files = new(_account, ContentKeys.None);
        _contents = new(_account, ContentKeys.None);
        _close = new(_batches, _files, _contents, TimeProvider.System);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _account.CreateContainersAsync(Cancellation);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        BatchRecord batch = new()
        {
            Id = _input.BatchId,
            Submitter = new(Tenant, "me", new KeyGrant(null, null, null), "r", null),
            Endpoint = "/v1/chat/completions",
            InputFileId = NewId(),
            CreatedAt = now,
            Deadline = now.AddDays(1),
            ExpiresAt = now.AddDays(2),
        };
        await _batches.CreateAsync(batch, Cancellation);
    }

    [Fact]
    public async Task Run_PagesThere_MakesFilesOfThemAndDeletesThem()
    {
        await PutPagesAsync("a\n", "", "b\n");

        BatchFiles made = await RunAsync();

        made.ShouldBe(new BatchFiles(_input.OutputId, null));
        (await ReadAsync(_input.OutputId)).ShouldBe("a\nb\n");
        (await _contents.GetContentAsync(_input.BatchId, BatchContent.Output(0), Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task Run_AfterAnother_AnswersTheSameAndChangesNothing()
    {
        await PutPagesAsync("a\n", "", "b\n");
        BatchFiles first = await RunAsync();

        (await RunAsync()).ShouldBe(first);

        (await ReadAsync(_input.OutputId)).ShouldBe("a\nb\n");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Run_PageMissing_MakesNoFileWithoutIt(int missing)
    {
        string?[] pages = ["a\n", "b\n", "c\n"];
        pages[missing] = null;
        await PutPagesAsync(pages);

        await Should.ThrowAsync<InvalidDataException>(RunAsync);

        (await _files.FindAsync(_input.OutputId, Tenant, Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task Put_FileIsThere_StaysAsItIs()
    {
        await PutAsync("all of it");

        await PutAsync("less");

        (await ReadAsync(_input.OutputId)).ShouldBe("all of it");

        Task PutAsync(string content) => _files.PutAsync(
            new(_input.OutputId, Tenant, "x", "batch_output", 0, TimeProvider.System.GetUtcNow()), new MemoryStream(Encoding.UTF8.GetBytes(content)), Cancellation);
    }

    [Fact]
    public async Task Run_ErasedMeanwhile_LeavesNoFile()
    {
        await PutPagesAsync("a\n", "b\n", "");
        ErasingTime time = new(() => _batches.DeleteAsync(_input.BatchId, Cancellation));

        (await new CloseBatch(_batches, _files, _contents, time).RunAsync(null!, _input)).ShouldBe(new BatchFiles(null, null));

        time.HasErased.ShouldBeTrue();
        (await _files.FindAsync(_input.OutputId, Tenant, Cancellation)).ShouldBeNull();
        (await _contents.DeleteContentAsync(_input.BatchId, Cancellation)).ShouldBeFalse();
    }

    [Fact]
    public async Task WritePage_ErasedMeanwhile_LeavesNoPage()
    {
        await _contents.PutContentAsync(_input.BatchId, BatchContent.Page(0), new BinaryData("{}"), Cancellation);
        await _batches.DeleteAsync(_input.BatchId, Cancellation);

        // Without jobs none is looked for.
        await new WritePage(_batches, _contents, records: null!, results: null!).RunAsync(null!, new(_input.BatchId, 0, [new(null, RecordStatus.Failed, "refused")]));

        (await _contents.DeleteContentAsync(_input.BatchId, Cancellation)).ShouldBeFalse();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static string NewId() => JobId.New(TimeProvider.System);

    private Task<BatchFiles> RunAsync() => _close.RunAsync(null!, _input);

    private async Task PutPagesAsync(params string?[] outputs)
    {
        for (int page = 0; page < outputs.Length; page++)
        {
            if (outputs[page] is { } output)
                await _contents.PutContentAsync(_input.BatchId, BatchContent.Output(page), new BinaryData(output), Cancellation);
            await _contents.PutContentAsync(_input.BatchId, BatchContent.Errors(page), BinaryData.Empty, Cancellation);
        }
    }

    private async Task<string> ReadAsync(string id)
    {
        StoredFile file = (await _files.FindAsync(id, Tenant, Cancellation)).ShouldNotBeNull();
        using StreamReader reader = new((await _files.OpenAsync(file, Cancellation)).ShouldNotBeNull());
        return await reader.ReadToEndAsync(Cancellation);
    }

    /// <summary>A clock that has a batch erased when it is first looked at: between what an activity has found and what it writes.</summary>
    private sealed class ErasingTime(Func<Task> erase) : TimeProvider
    {
        public bool HasErased { get; private set; }

        public override DateTimeOffset GetUtcNow()
        {
            if (!HasErased)
                Task.Run(erase, Cancellation).Wait(Cancellation);
            HasErased = true;
            return base.GetUtcNow();
        }
    }
}
