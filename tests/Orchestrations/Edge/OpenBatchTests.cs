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
public sealed class OpenBatchTests(AzuriteFixture azurite)
{
    private const string Tenant = "tenant";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_LongLines_PagesAreNoLongerThanIsReadForALine()
    {
        StorageAccount account = new(azurite.ConnectionString);
        await account.CreateContainersAsync(Cancellation);
        BatchStore batches = new(account);
        FileStore files = new(account, ContentKeys.None);
        StrategyStore contents = new(account, ContentKeys.None);
        BatchRecord batch = await CreateAsync(batches);
        const int most = OpenBatch.LongestPage;
        string[] lines = [.. new int[] { most - 200, most - 200, 100, 100, 1, most + 100, most, 1, 1, 1 }.Select((length, index) => new string((char)('a' + index), length))];
        StoredFile input = new(batch.InputFileId, Tenant, "input.jsonl", "batch", 0, TimeProvider.System.GetUtcNow());
        await files.PutAsync(input, new MemoryStream(Encoding.UTF8.GetBytes(string.Join("\n\n", lines))), Cancellation);

        BatchOpened opened = await new OpenBatch(batches, files, contents, Options.Create(new BatchOptions { PageLines = 3 })).RunAsync(null!, batch.Id);

        opened.Pages.ShouldBe([1, 3, 1, 1, 1, 3]);
        List<string?> read = [];
        for (int page = 0; page < opened.Pages.Count; page++)
        {
            for (int line = 0; line < opened.Pages[page]; line++)
                read.Add(await BatchContent.LineAsync(contents, batch.Id, page, line));
        }
        read.ShouldBe(lines);
    }

    /// <summary>Also where it does not come to its end, as its tenant's files are gone or as here.</summary>
    [Fact]
    public async Task Run_ErasedMeanwhileAndTooLong_LeavesNoPage()
    {
        StorageAccount account = new(azurite.ConnectionString);
        await account.CreateContainersAsync(Cancellation);
        BatchStore batches = new(account);
        FileStore files = new(account, ContentKeys.None);
        StrategyStore contents = new(account, ContentKeys.None);
        BatchRecord batch = await CreateAsync(batches);
        await files.PutAsync(new(batch.InputFileId, Tenant, "input.jsonl", "batch", 0, TimeProvider.System.GetUtcNow()), new MemoryStream("a\nb\nc"u8.ToArray()), Cancellation);
        ErasingOptions options = new(new() { PageLines = 1, MaxLines = 2 }, () => batches.DeleteAsync(batch.Id, Cancellation));

        BatchOpened opened = await new OpenBatch(batches, files, contents, options).RunAsync(null!, batch.Id);

        opened.Pages.ShouldBeEmpty();
        (await contents.DeleteContentAsync(batch.Id, Cancellation)).ShouldBeFalse();
    }

    [Fact]
    public async Task Delete_WrittenMeanwhile_LeavesNoPage()
    {
        await using MeddlingRelay relay = new(azurite.Process.Endpoints.BlobPort);
        StorageAccount account = new(relay.Through(azurite.ConnectionString));
        await account.CreateContainersAsync(Cancellation);
        BatchStore batches = new(account);
        StrategyStore contents = new(account, ContentKeys.None);
        BatchRecord batch = await CreateAsync(batches);
        await contents.PutContentAsync(batch.Id, BatchContent.Page(0), new BinaryData("a"), Cancellation);

        Task<string?> written = WrittenAsync();
        await BatchContent.DeleteAsync(batches, contents, batch.Id, Cancellation);

        (await written).ShouldBe("kept");
        (await contents.DeleteContentAsync(batch.Id, Cancellation)).ShouldBeFalse();

        async Task<string?> WrittenAsync()
        {
            // By somebody who still finds the batch afterwards.
            StorageAccount direct = new(azurite.ConnectionString);
            string? outcome = null;
            await relay.BeforeAsync($"DELETE /{account.Blobs.AccountName}/{Containers.Jobs}/batches/{batch.Id}", async () =>
                outcome = await BatchContent.WriteAsync(new(direct), new(direct, ContentKeys.None), batch.Id, async () =>
                {
                    await new StrategyStore(direct, ContentKeys.None).PutContentAsync(batch.Id, BatchContent.Page(1), new BinaryData("b"), Cancellation);
                    return "kept";
                }));
            return outcome;
        }
    }

    private static Task<BatchRecord> CreateAsync(BatchStore batches)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        return batches.CreateAsync(
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
