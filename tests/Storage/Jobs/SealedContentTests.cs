using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Azure.Storage.Blobs;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Security;
using OllamaMax.Storage.Jobs;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests.Jobs;

/// <summary>Content that is encrypted where it lies: with its key, without it, in another's place, and from the time before.</summary>
public sealed class SealedContentTests(AzuriteFixture azurite)
{
    private const string Secret = "the rain in Spain";

    private static readonly RecordPolicy Policy = new();
    private readonly StorageAccount _account = new(azurite.ConnectionString);
    private readonly string _id = JobId.New(TimeProvider.System);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private BlobContainerClient Jobs => _account.Blobs.GetBlobContainerClient(Containers.Jobs);

    [Fact]
    public async Task Record_WithItsKey_IsWhatWasCreatedAndReadableToNobodyElse()
    {
        JobRecord created = await CreateRecordAsync(ContentKeyTexts.Keys("k1"));

        JobRecord found = await FindRecordAsync(ContentKeyTexts.Keys("k2", "k1"));

        created.SealedWith.ShouldBe("k1");
        found.Readable().Job!.Prompt.ShouldBe(Secret);
        found.Response!.Input.Single().GetString().ShouldBe(Secret);
        (await TextAsync($"records/{_id}")).ShouldNotContain(Secret);
    }

    [Fact]
    public async Task Record_ItsKeyMissing_GoesOnWithoutItsContentAndKeepsIt()
    {
        await CreateRecordAsync(ContentKeyTexts.Keys("k1"));
        JobRecordStore without = new(_account, ContentKeyTexts.Keys("k2"));
        StoredRecord found = (await without.FindAsync(_id, Cancellation)).ShouldNotBeNull();
        JobRecord cancelled = found.Record.Apply(new RecordCommand.Cancel(found.Record.CreatedAt), Policy);

        (await without.ReplaceAsync(found, cancelled, cancelled.DueAt(Policy), Cancellation)).ShouldNotBeNull();

        Should.Throw<ContentKeyException>(() => found.Record.Readable()).Key.ShouldBe("k1");
        cancelled.HasContent.ShouldBeTrue();
        JobRecord again = await FindRecordAsync(ContentKeyTexts.Keys("k1"));
        again.Status.ShouldBe(RecordStatus.Cancelled);
        again.Job!.Prompt.ShouldBe(Secret);
        JobRecord stripped = cancelled.Apply(new RecordCommand.Strip(cancelled.CreatedAt), Policy);
        stripped.Sealed.ShouldBeNull();
        stripped.HasContent.ShouldBeFalse();
    }

    [Fact]
    public async Task Record_NothingIsToBeStored_GoesWithTheEndWithoutItsKeyToo()
    {
        await CreateRecordAsync(ContentKeyTexts.Keys("k1"));

        JobRecord found = await FindRecordAsync(ContentKeys.None);

        found.Apply(new RecordCommand.Cancel(found.CreatedAt), Policy with { Retention = TimeSpan.Zero }).Sealed.ShouldBeNull();
    }

    [Fact]
    public async Task Record_OfTheTimeBefore_IsReadAndEncryptedByTheNextWrite()
    {
        await CreateRecordAsync(ContentKeys.None);
        JobRecordStore store = new(_account, ContentKeyTexts.Keys("k1"));
        StoredRecord found = (await store.FindAsync(_id, Cancellation)).ShouldNotBeNull();
        found.Record.Job!.Prompt.ShouldBe(Secret);

        StoredRecord written = (await store.ReplaceAsync(found, found.Record with { IsSubscribed = true }, found.Record.Deadline, Cancellation)).ShouldNotBeNull();

        written.Record.SealedWith.ShouldBe("k1");
        (await TextAsync($"records/{_id}")).ShouldNotContain(Secret);
    }

    [Fact]
    public async Task Record_KeyRotated_KeepsTheKeyThatItsOutputHas()
    {
        await CreateRecordAsync(ContentKeyTexts.Keys("k1"));
        JobRecordStore store = new(_account, ContentKeyTexts.Keys("k2", "k1"));
        StoredRecord found = (await store.FindAsync(_id, Cancellation)).ShouldNotBeNull();

        (await store.ReplaceAsync(found, found.Record with { IsSubscribed = true }, found.Record.Deadline, Cancellation)).ShouldNotBeNull().Record.SealedWith.ShouldBe("k1");
    }

    [Fact]
    public async Task Output_WrittenWithTheJobsKey_IsReadByEdgesThatHaveIt()
    {
        await _account.CreateContainersAsync(Cancellation);
        ContentKeys keys = ContentKeyTexts.Keys("k1");
        JobRecordStore store = new(_account, keys);
        await store.Output(_id).CreateIfNotExistsAsync(Cancellation);
        string url = await store.OutputUrlAsync(_id, TimeProvider.System.GetUtcNow().AddMinutes(5), Cancellation);
        JobOutputBlob writer = new(new SignedStorage().AppendBlob(url), ContentSeal.Given("k1", keys.Of("k1", ContentKind.Job, _id).Key.ToArray()));
        (await writer.BeginAsync(new Attempt(1, "w", "n"), Cancellation)).ShouldNotBeNull();
        Chunk chunk = new(0, [7], [Secret.Length], Encoding.ASCII.GetBytes(Secret));
        (await writer.AppendAsync(1, chunk, Cancellation)).ShouldBeTrue();
        (await writer.AppendAsync(1, chunk, Cancellation)).ShouldBeTrue("what storage has already is not written again");

        Encoding.ASCII.GetString((await store.Output(_id).ReadAsync(Cancellation)).ShouldHaveSingleItem().Bytes).ShouldBe(Secret);

        new StoredContent("", Encoding.UTF8.GetBytes(await TextAsync($"output/{_id}"))).Has(Secret).ShouldBeFalse();
        JobOutputBlob without = new JobRecordStore(_account, ContentKeys.None).Output(_id);
        await without.LookAsync(Cancellation);
        without.Facts.Tokens.ShouldBe(1);
        await Should.ThrowAsync<ContentKeyException>(() => without.ReadAsync(Cancellation));
        await without.FenceAsync(1, new JobError(JobErrorKind.Cancelled, "the job was cancelled"), Cancellation);
        (await writer.AppendAsync(1, chunk with { Index = 1 }, Cancellation)).ShouldBeFalse("whoever ends it needs no key");
    }

    [Fact]
    public async Task Response_WithItsKeyAndWithout()
    {
        await _account.CreateContainersAsync(Cancellation);
        await new ResponseStore(_account, ContentKeyTexts.Keys("k1")).CreateAsync(Response() with { ExpiresAt = DateTimeOffset.MaxValue }, Cancellation);

        StoredResponse found = (await new ResponseStore(_account, ContentKeyTexts.Keys("k2", "k1")).FindAsync(_id, DateTimeOffset.MinValue, Cancellation)).ShouldNotBeNull();

        found.Input.Single().GetString().ShouldBe(Secret);
        (await TextAsync($"responses/{_id}")).ShouldNotContain(Secret);
        (await new ResponseStore(_account, ContentKeys.None).ListAsync("tenant", Cancellation).ToListAsync(Cancellation)).ShouldContain(_id);
        await Should.ThrowAsync<ContentKeyException>(() => new ResponseStore(_account, ContentKeyTexts.Keys("k2")).FindAsync(_id, DateTimeOffset.MinValue, Cancellation));
    }

    [Fact]
    public async Task StrategyContent_InAnothersPlace_DoesNotOpen()
    {
        await _account.CreateContainersAsync(Cancellation);
        StrategyStore store = new(_account, ContentKeyTexts.Keys("k1"));
        await store.PutContentAsync(_id, "text", new BinaryData(Secret), Cancellation);
        await new StrategyStore(_account, ContentKeys.None).PutContentAsync(_id, "old", new BinaryData(Secret), Cancellation);
        await CopyAsync($"strategy-content/{_id}/text", $"strategy-content/{_id}/part");

        (await store.GetContentAsync(_id, "text", Cancellation)).ShouldNotBeNull().ToString().ShouldBe(Secret);
        (await store.GetContentAsync(_id, "old", Cancellation)).ShouldNotBeNull().ToString().ShouldBe(Secret);
        (await store.GetContentAsync(_id, "none", Cancellation)).ShouldBeNull();
        await Should.ThrowAsync<InvalidDataException>(() => store.GetContentAsync(_id, "part", Cancellation));
        (await TextAsync($"strategy-content/{_id}/text")).ShouldNotContain(Secret);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(200_000)]
    public async Task File_OfAnySize_IsTheSame(int size)
    {
        await _account.CreateContainersAsync(Cancellation);
        byte[] content = RandomNumberGenerator.GetBytes(size);
        FileStore store = new(_account, ContentKeyTexts.Keys("k1"));
        await PutFileAsync(store, content);

        StoredFile file = (await store.FindAsync(_id, "tenant", Cancellation)).ShouldNotBeNull();

        file.Bytes.ShouldBe(size);
        (await store.ListAsync("tenant", Cancellation)).ShouldContain(file);
        (await ReadAsync(store, file)).ShouldBe(content);
        await Should.ThrowAsync<ContentKeyException>(() => new FileStore(_account, ContentKeys.None).OpenAsync(file, Cancellation));
    }

    [Fact]
    public async Task File_CutOffOrItsPiecesExchanged_DoesNotOpen()
    {
        await _account.CreateContainersAsync(Cancellation);
        const int piece = 65_536 + ContentSeal.Overhead;
        FileStore store = new(_account, ContentKeyTexts.Keys("k1"));
        await PutFileAsync(store, new byte[200_000]);
        StoredFile file = (await store.FindAsync(_id, "tenant", Cancellation)).ShouldNotBeNull();
        BlobClient blob = Jobs.GetBlobClient($"files/{_id}");
        byte[] whole = (await blob.DownloadContentAsync(Cancellation)).Value.Content.ToArray();

        foreach (byte[] other in (byte[][])[whole[..(2 * piece)], whole[..^1], [.. whole[piece..(2 * piece)], .. whole[..piece], .. whole[(2 * piece)..]]])
        {
            await blob.UploadAsync(new BinaryData(other), overwrite: true, Cancellation);
            await Should.ThrowAsync<InvalidDataException>(() => ReadAsync(store, file));
        }
    }

    [Fact]
    public async Task File_OfTheTimeBefore_IsReadAsItIs()
    {
        await _account.CreateContainersAsync(Cancellation);
        await PutFileAsync(new(_account, ContentKeys.None), Encoding.ASCII.GetBytes(Secret));
        FileStore store = new(_account, ContentKeyTexts.Keys("k1"));

        StoredFile file = (await store.FindAsync(_id, "tenant", Cancellation)).ShouldNotBeNull();

        (file.SealedWith, file.Bytes).ShouldBe((null, Secret.Length));
        Encoding.ASCII.GetString(await ReadAsync(store, file)).ShouldBe(Secret);
    }

    private async Task<JobRecord> CreateRecordAsync(ContentKeys keys)
    {
        await _account.CreateContainersAsync(Cancellation);
        Job job = new()
        {
            Id = _id,
            RequestId = "r",
            Tenant = "tenant",
            Model = $"sha256:{new string('0', 64)}",
            Prompt = Secret,
            Options = new InferenceOptions(),
            Seed = 1,
            Deadline = TimeSpan.FromMinutes(10),
        };
        JobRecord record = JobRecord.Create(job, RequestShape.Response, "demo", TimeProvider.System.GetUtcNow()) with { Response = Response() };
        return (await new JobRecordStore(_account, keys).CreateAsync(record, record.Deadline, Cancellation)).Record;
    }

    private async Task<JobRecord> FindRecordAsync(ContentKeys keys) => (await new JobRecordStore(_account, keys).FindAsync(_id, Cancellation)).ShouldNotBeNull().Record;

    private StoredResponse Response() => new()
    {
        Id = _id,
        Tenant = "tenant",
        CreatedAt = DateTimeOffset.UnixEpoch,
        Settings = JsonElement.Parse("{}"),
        Input = [JsonSerializer.SerializeToElement(Secret)],
    };

    private Task PutFileAsync(FileStore store, byte[] content) =>
        store.PutAsync(new(_id, "tenant", "lines.jsonl", "batch", 0, DateTimeOffset.UnixEpoch), new MemoryStream(content), Cancellation);

    private static async Task<byte[]> ReadAsync(FileStore store, StoredFile file)
    {
        await using Stream content = (await store.OpenAsync(file, Cancellation)).ShouldNotBeNull();
        using MemoryStream read = new();
        await content.CopyToAsync(read, Cancellation);
        return read.ToArray();
    }

    private async Task<string> TextAsync(string blob) => Encoding.Latin1.GetString((await Jobs.GetBlobClient(blob).DownloadContentAsync(Cancellation)).Value.Content);

    private async Task CopyAsync(string from, string to)
    {
        Azure.Storage.Blobs.Models.BlobDownloadResult blob = await Jobs.GetBlobClient(from).DownloadContentAsync(Cancellation);
        await Jobs.GetBlobClient(to).UploadAsync(blob.Content, new Azure.Storage.Blobs.Models.BlobUploadOptions { Metadata = blob.Details.Metadata }, Cancellation);
    }
}
