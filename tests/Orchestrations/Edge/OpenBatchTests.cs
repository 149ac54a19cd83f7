using System.Text;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Batches;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Orchestrations.Batches;
using OllamaMax.Security;
using OllamaMax.Storage;
using OllamaMax.Storage.Jobs;
using OllamaMax.TestKit;

namespace OllamaMax.Orchestrations.Tests.Edge;

/// <summary>How a batch's input is cut into pages.</summary>
public sealed class OpenBatchTests : IAsyncLifetime
{
    private const string Tenant = "tenant";

    private readonly AzuriteFixture _azurite;
    private readonly StorageAccount _account;
    private readonly BatchStore _batches;
    private readonly FileStore _files;
    private readonly StrategyStore _contents;

    public OpenBatchTests(AzuriteFixture azurite)
    {
        _azurite = azurite;
        _account = new(azurite.ConnectionString);
        _batches = new(_account);
        _files = new(_account, ContentKeys.None);
        _contents = new(_account, ContentKeys.None);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _account.CreateContainersAsync(Cancellation);

    [Fact]
    public async Task Run_LongLines_PagesAreNoLongerThanIsReadForALine()
    {
        BatchRecord batch = await CreateAsync();
        const int most = OpenBatch.LongestPage;
        string[] lines = [.. new int[] { most - 200, most - 200, 100, 100, 1, most + 100, most, 1, 1, 1 }.Select((length, index) => new string((char)('a' + index), length))];
        StoredFile input = new(batch.InputFileId, Tenant, "input.jsonl", "batch", 0, TimeProvider.System.GetUtcNow());
        await _files.PutAsync(input, new MemoryStream(Encoding.UTF8.GetBytes(string.Join("\n\n", lines))), Cancellation);

        BatchOpened opened = await new OpenBatch(_batches, _files, _contents, Options.Create(new BatchOptions { PageLines = 3 })).RunAsync(null!, batch.Id);

        opened.Pages.ShouldBe([1, 3, 1, 1, 1, 3]);
        List<string?> read = [];
        for (int page = 0; page < opened.Pages.Count; page++)
        {
            for (int line = 0; line < opened.Pages[page]; line++)
                read.Add(await BatchContent.LineAsync(_contents, batch.Id, page, line));
        }
        read.ShouldBe(lines);
    }

    /// <summary>Also where it does not come to its end, as its tenant's files are gone or as here.</summary>
    [Fact]
    public async Task Run_ErasedMeanwhileAndTooLong_LeavesNoPage()
    {
        BatchRecord batch = await CreateAsync();
        await _files.PutAsync(new(batch.InputFileId, Tenant, "input.jsonl", "batch", 0, TimeProvider.System.GetUtcNow()), new MemoryStream("a\nb\nc"u8.ToArray()), Cancellation);
        ErasingOptions options = new(new() { PageLines = 1, MaxLines = 2 }, () => _batches.DeleteAsync(batch.Id, Cancellation));

        BatchOpened opened = await new OpenBatch(_batches, _files, _contents, options).RunAsync(null!, batch.Id);

        opened.Pages.ShouldBeEmpty();
        (await _contents.DeleteContentAsync(batch.Id, Cancellation)).ShouldBeFalse();
    }

    [Fact]
    public async Task Delete_WrittenMeanwhile_LeavesNoPage()
    {
        await using MeddlingRelay relay = new(_azurite.Process.Endpoints.BlobPort);
        StorageAccount relayed = new(relay.Through(_azurite.ConnectionString));
        BatchRecord batch = await CreateAsync();
        await _contents.PutContentAsync(batch.Id, BatchContent.Page(0), new BinaryData("a"), Cancellation);

        Task<string?> written = WrittenAsync();
        await BatchContent.DeleteAsync(new(relayed), new(relayed, ContentKeys.None), batch.Id, Cancellation);

        (await written).ShouldBe("kept");
        (await _contents.DeleteContentAsync(batch.Id, Cancellation)).ShouldBeFalse();

        async Task<string?> WrittenAsync()
        {
            // By somebody who still finds the batch afterwards.
            string? outcome = null;
            await relay.BeforeAsync($"DELETE /{relayed.Blobs.AccountName}/{Containers.Jobs}/batches/{batch.Id}", async () =>
                outcome = await BatchContent.WriteAsync(_batches, _contents, batch.Id, async () =>
                {
                    await _contents.PutContentAsync(batch.Id, BatchContent.Page(1), new BinaryData("b"), Cancellation);
                    return "kept";
                }));
            return outcome;
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private Task<BatchRecord> CreateAsync()
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        return _batches.CreateAsync(
            new()
            {
                Id = JobId.New(TimeProvider.System),
                Submitter = new(Tenant, "me", new KeyGrant(null, null, null), "r", null),
                Endpoint = "/v1/chat/completions",
                InputFileId = JobId.New(TimeProvider.System),
                CreatedAt = now,
                Deadline = now.AddDays(1),
                ExpiresAt = now.AddDays(2),
            },
            Cancellation);
    }

    /// <summary>Options that have a batch erased when they are first looked at: between what the activity has found and what it writes.</summary>
    private sealed class ErasingOptions(BatchOptions options, Func<Task> erase) : IOptions<BatchOptions>
    {
        private bool _hasErased;

        public BatchOptions Value
        {
            get
            {
                if (!_hasErased)
                    Task.Run(erase, Cancellation).Wait(Cancellation);
                _hasErased = true;
                return options;
            }
        }
    }
}
