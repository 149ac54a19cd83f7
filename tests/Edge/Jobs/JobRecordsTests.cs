using System.Diagnostics.Metrics;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Jobs;
using OllamaMax.Edge.Security.Usage;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Security;
using OllamaMax.Storage;
using OllamaMax.Storage.Jobs;
using OllamaMax.Storage.Security;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Jobs;

/// <summary>What follows from the end of a background job, whoever comes across it.</summary>
public sealed class JobRecordsTests(AzuriteFixture azurite)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Storage has taken the end, and who asked for the job hears nothing of it and leaves.</summary>
    [Fact]
    public async Task Settle_AnswerOfTheEndIsLostAndItsClientLeaves_IsCountedUnderTheModelsName()
    {
        await using MeddlingRelay relay = new(azurite.Process.Endpoints.BlobPort);
        await using ServiceProvider edge = await StartAsync(relay.Through(azurite.NewAccount()));
        JobRecord record = await CreateAsync(edge, record => record with { Attempts = 1, Deadline = record.CreatedAt });
        using CancellationTokenSource client = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);

        Task lost = relay.LoseAsync($"PUT /{edge.GetRequiredService<StorageAccount>().Blobs.AccountName}/{Containers.Jobs}/records/{record.Id}");
        Task<JobRecord?> settled = Records(edge).SettleAsync(record.Id, client.Token);
        await lost;
        await client.CancelAsync();

        (await settled).ShouldNotBeNull().Status.ShouldBe(RecordStatus.Failed);
        await Records(edge).SettleAsync(record.Id, Cancellation);
        (await UsageAsync(edge)).ShouldBe(new() { ["demo:latest"] = new(1, 0, 0) });
    }

    /// <summary>Two edges go on with one submission.</summary>
    [Fact]
    public async Task Create_OfAnIdThatAnotherEdgeHasCreated_IsThatJob()
    {
        await using ServiceProvider edge = await StartAsync(azurite.NewAccount());
        JobRecord record = await CreateAsync(edge, record => record);

        (await Records(edge).CreateAsync(record with { ModelName = "as another edge says it" }, Cancellation)).ModelName.ShouldBe(record.ModelName);
    }

    [Fact]
    public async Task Requeue_AfterAnAnswerThatWasCut_WhatComesBeyondItIsCounted()
    {
        await using ServiceProvider edge = await StartAsync(azurite.NewAccount());
        JobRecord record = await CreateAsync(edge, record => record with { Attempts = 1, HasOutput = true, Deadline = record.CreatedAt });
        JobOutputBlob output = edge.GetRequiredService<JobRecordStore>().Output(record.Id);
        await output.CreateIfNotExistsAsync(Cancellation);
        await output.BeginAsync(new Attempt(1, "w1", "n1"), Cancellation);
        await output.AppendAsync(1, new Chunk(0, [0, 1, 2], [1, 1, 1], "abc"u8.ToArray()), Cancellation);
        await Records(edge).SettleAsync(record.Id, Cancellation);
        (await UsageAsync(edge)).ShouldBe(new() { ["demo:latest"] = new(1, 2, 3) });

        await Records(edge).RequeueAsync(record.Id, TimeSpan.FromMinutes(10), Cancellation);
        await Records(edge).ApplyAsync(record.Id, at => new RecordCommand.Cancel(at), Cancellation);

        (await UsageAsync(edge)).ShouldBe(new() { ["demo:latest"] = new(1, 2, 3) });
    }

    [Fact]
    public async Task Settle_Completed_ItsTokensAreAmongTheEdges()
    {
        await using ServiceProvider edge = await StartAsync(azurite.NewAccount());
        using MeterListener listener = new();
        long tokens = 0;
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (instrument.Name == "ollamamax.tokens" && instrument.Meter.Scope == edge.GetRequiredService<IMeterFactory>())
                listener.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, more, _, _) => tokens += more);
        listener.Start();
        JobRecord record = await CreateAsync(edge, record => record with { Status = RecordStatus.Running, Attempts = 1, Attempt = new(1, "w1", "n1"), HasOutput = true });
        JobOutputBlob output = edge.GetRequiredService<JobRecordStore>().Output(record.Id);
        await output.CreateIfNotExistsAsync(Cancellation);
        await output.BeginAsync(record.Attempt!, Cancellation);
        AttemptStart start = new(PromptTokens: 7, CachedTokens: 0, LoadDuration: default, PromptDuration: default);
        await output.AppendAsync(1, new Chunk(0, [0, 1, 2], [1, 1, 1], "abc"u8.ToArray(), End: new AttemptEnd { Reason = EndReason.Stop, Start = start }), Cancellation);

        (await Records(edge).SettleAsync(record.Id, Cancellation)).ShouldNotBeNull().Status.ShouldBe(RecordStatus.Completed);

        tokens.ShouldBe(10);
        (await UsageAsync(edge)).ShouldBe(new() { ["demo:latest"] = new(1, 7, 3) });
    }

    /// <summary>Storage does not append to what lies there.</summary>
    [Fact]
    public async Task Cancel_FenceIsRefused_IsCountedAndWhatItLeftIsDeleted()
    {
        await using ServiceProvider edge = await StartAsync(azurite.NewAccount(), new() { ["OllamaMax:Jobs:Retention"] = "0" });
        JobRecord record = await CreateAsync(edge, record => record with { Attempts = 1, HasOutput = true });
        BlobClient output = Output(edge, record);
        await output.UploadAsync(BinaryData.Empty, Cancellation);

        JobRecord ended = (await Records(edge).ApplyAsync(record.Id, at => new RecordCommand.Cancel(at), Cancellation)).ShouldNotBeNull();

        ended.Status.ShouldBe(RecordStatus.Cancelled);
        ended.HasContent.ShouldBeFalse();
        (await output.ExistsAsync(Cancellation)).Value.ShouldBeFalse();
        (await UsageAsync(edge)).ShouldBe(new() { ["demo:latest"] = new(1, 0, 0) });
    }

    /// <summary>Storage does not read what is archived.</summary>
    [Fact]
    public async Task Cancel_OutputCannotBeRead_HasNotEndedAndIsCountedWhenItDoes()
    {
        await using ServiceProvider edge = await StartAsync(azurite.NewAccount());
        JobRecord record = await CreateAsync(edge, record => record with { Attempts = 1, HasOutput = true });
        BlobClient output = Output(edge, record);
        await output.UploadAsync(BinaryData.Empty, Cancellation);
        await output.SetAccessTierAsync(AccessTier.Archive, cancellationToken: Cancellation);

        await Should.ThrowAsync<RequestFailedException>(() => Records(edge).ApplyAsync(record.Id, at => new RecordCommand.Cancel(at), Cancellation));

        await output.DeleteAsync(cancellationToken: Cancellation);
        (await Records(edge).SettleAsync(record.Id, Cancellation)).ShouldNotBeNull().IsEnded.ShouldBeFalse();
        await Records(edge).ApplyAsync(record.Id, at => new RecordCommand.Cancel(at), Cancellation);
        (await UsageAsync(edge)).ShouldBe(new() { ["demo:latest"] = new(1, 0, 0) });
    }

    private static BlobClient Output(ServiceProvider edge, JobRecord record) =>
        edge.GetRequiredService<StorageAccount>().Blobs.GetBlobContainerClient(Containers.Jobs).GetBlobClient($"output/{record.Id}");

    private static JobRecords Records(ServiceProvider edge) => edge.GetRequiredService<JobRecords>();

    /// <summary>An edge of which nothing runs by itself.</summary>
    private static async Task<ServiceProvider> StartAsync(string storage, Dictionary<string, string?>? settings = null)
    {
        ServiceProvider edge = WholeEdge.Services(new StorageAccount(storage), settings);
        await edge.GetRequiredService<StorageAccount>().CreateContainersAsync(Cancellation);
        return edge;
    }

    private static async Task<JobRecord> CreateAsync(ServiceProvider edge, Func<JobRecord, JobRecord> change)
    {
        Job job = new()
        {
            Id = JobId.New(TimeProvider.System),
            RequestId = "r",
            Tenant = "tenant",
            Credential = "k1",
            Model = FixedModels.Weights,
            AnsweredBy = "demo:latest",
            Prompt = "a prompt",
            Options = new(),
            Seed = 1,
            Deadline = TimeSpan.FromMinutes(10),
        };
        return await Records(edge).CreateAsync(change(JobRecord.Create(job, RequestShape.Chat, "DEMO", TimeProvider.System.GetUtcNow())), Cancellation);
    }

    private static async Task<Dictionary<string, UseCount>> UsageAsync(ServiceProvider edge)
    {
        await edge.GetRequiredService<UsageBook>().FlushAsync(Cancellation);
        return (await edge.GetRequiredService<UsageStore>().ListAllAsync("tenant", Cancellation)).ShouldHaveSingleItem().Models.ToDictionary();
    }
}
