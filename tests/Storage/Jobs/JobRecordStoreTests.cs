using Azure;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Security;
using OllamaMax.Storage.Jobs;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests.Jobs;

public sealed class JobRecordStoreTests(AzuriteFixture azurite)
{
    private static readonly RecordPolicy Policy = new();
    private readonly StorageAccount _account = new(azurite.ConnectionString);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private JobRecordStore Store => new(_account, ContentKeys.None);

    [Fact]
    public async Task Find_WhatWasCreated_IsTheSame()
    {
        JobRecord record = await CreateAsync("tenant");

        StoredRecord found = (await Store.FindAsync(record.Id, Cancellation)).ShouldNotBeNull();

        found.Record.Job!.Prompt.ShouldBe("hi");
        (found.Record with { Job = null, History = record.History }).ShouldBe(record with { Job = null });
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("../payloads/x")]
    [InlineData("00000000000000000000000000")]
    public async Task Find_Unknown_IsNull(string id)
    {
        await _account.CreateContainersAsync(Cancellation);

        (await Store.FindAsync(id, Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task Replace_ChangedByAnother_IsRefused()
    {
        JobRecord record = await CreateAsync("tenant");
        StoredRecord mine = (await Store.FindAsync(record.Id, Cancellation))!;
        StoredRecord theirs = (await Store.FindAsync(record.Id, Cancellation))!;
        JobRecord cancelled = record.Apply(new RecordCommand.Cancel(record.CreatedAt), Policy);

        (await Store.ReplaceAsync(theirs, cancelled, cancelled.DueAt(Policy), Cancellation)).ShouldNotBeNull();

        (await Store.ReplaceAsync(mine, cancelled, cancelled.DueAt(Policy), Cancellation)).ShouldBeNull();
    }

    /// <summary>Storage has taken the write, its client repeats it, as it does all, and is refused: that was its own.</summary>
    [Fact]
    public async Task Replace_AnswerIsLost_IsTheRecordAsItIsNow()
    {
        JobRecord record = await CreateAsync("tenant");
        await using MeddlingRelay relay = new(azurite.Process.Endpoints.BlobPort);
        JobRecordStore store = new(new StorageAccount(relay.Through(azurite.ConnectionString)), ContentKeys.None);
        StoredRecord found = (await store.FindAsync(record.Id, Cancellation))!;

        Task lost = relay.LoseAsync($"PUT /{_account.Blobs.AccountName}/{Containers.Jobs}/records/{record.Id}");
        StoredRecord? written = await store.ReplaceAsync(found, found.Record with { IsSubscribed = true }, record.Deadline, Cancellation);

        lost.IsCompletedSuccessfully.ShouldBeTrue();
        (await Store.FindAsync(record.Id, Cancellation))!.ETag.ShouldBe(written.ShouldNotBeNull().ETag);
    }

    /// <summary>The client that was refused now would submit it again, and it would run twice.</summary>
    [Fact]
    public async Task Create_AnswerIsLost_IsTheRecord()
    {
        JobRecord record = await CreateAsync("tenant");
        await Store.DeleteAsync(record.Id, Cancellation);
        await using MeddlingRelay relay = new(azurite.Process.Endpoints.BlobPort);
        JobRecordStore store = new(new StorageAccount(relay.Through(azurite.ConnectionString)), ContentKeys.None);

        Task lost = relay.LoseAsync($"PUT /{_account.Blobs.AccountName}/{Containers.Jobs}/records/{record.Id}");
        StoredRecord written = await store.CreateAsync(record, record.Deadline, Cancellation);

        lost.IsCompletedSuccessfully.ShouldBeTrue();
        (await Store.FindAsync(record.Id, Cancellation))!.ETag.ShouldBe(written.ETag);
    }

    [Fact]
    public async Task Create_Twice_IsRefused()
    {
        JobRecord record = await CreateAsync("tenant");

        var refused = await Should.ThrowAsync<RequestFailedException>(() => Store.CreateAsync(record, record.Deadline, Cancellation));
        refused.Status.ShouldBe(409);
    }

    [Fact]
    public async Task List_AfterAChange_ShowsItWithAnyTenantsName()
    {
        const string tenant = "Müller & Söhne, 🙂";
        JobRecord record = await CreateAsync(tenant);
        StoredRecord stored = (await Store.FindAsync(record.Id, Cancellation))!;
        JobRecord cancelled = record.Apply(new RecordCommand.Cancel(record.CreatedAt), Policy);
        await Store.ReplaceAsync(stored, cancelled, cancelled.DueAt(Policy), Cancellation);

        RecordItem? found = null;
        await foreach (RecordItem item in Store.ListAsync(Cancellation))
            found = item.Id == record.Id ? item : found;

        found.ShouldBe(new RecordItem(
            record.Id, tenant, RecordStatus.Cancelled, "demo", record.Model, record.CreatedAt, cancelled.DueAt(Policy), "the job was cancelled") { Attempts = 0, EndedAt = cancelled.EndedAt });
    }

    [Fact]
    public async Task Delete_RecordAndOutput_BothAreGone()
    {
        JobRecord record = await CreateAsync("tenant");
        await Store.Output(record.Id).CreateIfNotExistsAsync(Cancellation);

        await Store.DeleteAsync(record.Id, Cancellation);

        (await Store.FindAsync(record.Id, Cancellation)).ShouldBeNull();
        (await _account.Blobs.GetBlobContainerClient(Containers.Jobs).GetBlobClient($"output/{record.Id}").ExistsAsync(Cancellation)).Value.ShouldBeFalse();
    }

    private async Task<JobRecord> CreateAsync(string tenant)
    {
        await _account.CreateContainersAsync(Cancellation);
        var job = new Job
        {
            Id = JobId.New(TimeProvider.System),
            RequestId = "r",
            Tenant = tenant,
            Model = $"sha256:{new string('0', 64)}",
            Prompt = "hi",
            Options = new InferenceOptions(),
            Seed = ulong.MaxValue,
            Deadline = TimeSpan.FromMinutes(10),
        };
        JobRecord record = JobRecord.Create(job, RequestShape.Chat, "demo", TimeProvider.System.GetUtcNow());
        return (await Store.CreateAsync(record, record.DueAt(Policy), Cancellation)).Record;
    }
}
