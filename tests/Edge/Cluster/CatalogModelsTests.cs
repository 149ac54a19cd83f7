using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Placing;
using OllamaMax.Edge.Requests;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Models;
using OllamaMax.Placement;
using OllamaMax.Storage;
using OllamaMax.Storage.Workers;
using OllamaMax.TestKit;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Tests.Cluster;

public sealed class CatalogModelsTests(AzuriteFixture azurite)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task IsServed_RulesOfModelAndTenant_OnlyByWhomTheyAdmit()
    {
        StorageAccount account = new(azurite.NewAccount());
        await account.CreateContainersAsync(Cancellation);
        await ReportAsync(account, WorkerReports.Idle() with { Site = "paris" });
        await using ServiceProvider services = WholeEdge.Services(account, new()
        {
            ["OllamaMax:Placement:Models:far:7b:Labels"] = "site=berlin",
            ["OllamaMax:Placement:Models:new:7b:MinVersion"] = "99.0",
            ["OllamaMax:Tenants:acme:Labels"] = "site=berlin",
        });
        IModelSource models = services.GetRequiredService<IModelSource>();
        await services.GetRequiredService<ClusterWatch>().GetAsync(TimeSpan.Zero, Cancellation);

        models.IsServed(Named("near:7b"), tenant: null).ShouldBeTrue();
        models.IsServed(Named("near:7b"), "default").ShouldBeTrue();
        models.IsServed(Named("near:7b"), "acme").ShouldBeFalse();
        models.IsServed(Named("far:7b"), tenant: null).ShouldBeFalse();
        models.IsServed(Named("new:7b"), tenant: null).ShouldBeFalse();
    }

    /// <summary>A worker of an older version does not say that it hands on what it does not know.</summary>
    [Fact]
    public async Task FindAsync_WorkersSayDifferentThingsOfAModel_WhatHoldsForAllIsTold()
    {
        StorageAccount account = new(azurite.NewAccount());
        await account.CreateContainersAsync(Cancellation);
        ForwardedModel model = new() { Kind = "vllm", Model = "qwen", Name = "qwen", Capabilities = ["completion", "tools"] };
        await OfferAsync(account, "new", model with { CanRequireCalls = true });
        await using ServiceProvider services = WholeEdge.Services(account, []);
        IModelSource models = services.GetRequiredService<IModelSource>();
        ClusterWatch watch = services.GetRequiredService<ClusterWatch>();

        await watch.GetAsync(TimeSpan.Zero, Cancellation);
        ModelView? alone = await models.FindAsync("qwen", Cancellation);
        await OfferAsync(account, "old", model);
        await watch.GetAsync(TimeSpan.Zero, Cancellation);
        ModelView? beside = await models.FindAsync("qwen", Cancellation);

        alone.ShouldNotBeNull().Forwarded!.CanRequireCalls.ShouldBeTrue();
        beside.ShouldNotBeNull().Forwarded!.CanRequireCalls.ShouldBeFalse();
    }

    /// <summary>A worker of an older version says nothing of images: those of its model go to the others.</summary>
    [Fact]
    public async Task FindAsync_OneOfTheWorkersTakesImages_TheModelDoesAndOnlyThatWorkerMayHaveThem()
    {
        StorageAccount account = new(azurite.NewAccount());
        await account.CreateContainersAsync(Cancellation);
        ForwardedModel model = new() { Kind = "vllm", Model = "qwen", Name = "qwen", Capabilities = ["completion"], CanRequireCalls = true };
        await OfferAsync(account, "old", model);
        await using ServiceProvider services = WholeEdge.Services(account, []);
        IModelSource models = services.GetRequiredService<IModelSource>();
        ClusterWatch watch = services.GetRequiredService<ClusterWatch>();

        await watch.GetAsync(TimeSpan.Zero, Cancellation);
        ModelView? alone = await models.FindAsync("qwen", Cancellation);
        await OfferAsync(account, "new", model with { TakesImages = true });
        IReadOnlyList<WorkerView> workers = await watch.GetAsync(TimeSpan.Zero, Cancellation);
        ModelView? beside = await models.FindAsync("qwen", Cancellation);

        alone.ShouldNotBeNull().Forwarded!.TakesImages.ShouldBeNull();
        beside.ShouldNotBeNull().Forwarded!.TakesImages.ShouldBe(true);
        PlacementRules rules = services.GetRequiredService<PlacementRules>();
        Admitted(rules.Of(beside, tenant: null, hasImages: true)).ShouldBe(["new"]);
        Admitted(rules.Of(beside.Weights, [beside], tenant: null, hasImages: true)).ShouldBe(["new"]);
        Admitted(rules.Of(beside, tenant: null)).ShouldBe(["new", "old"]);

        string[] Admitted(PlacementRule rule) => [.. workers.Where(rule.Admits).Select(worker => worker.Report.Id).Order()];
    }

    private static ModelView Named(string name) => FixedModels.Able with { Name = ModelName.Parse(name) };

    private static Task OfferAsync(StorageAccount account, string id, ForwardedModel model) => ReportAsync(account, WorkerReports.Idle() with { Id = id }, model);

    private static async Task ReportAsync(StorageAccount account, WorkerReport report, params ForwardedModel[] forwarded)
    {
        HeartbeatDocument document = HeartbeatDocument.Of(report, forwarded);
        await account.Blobs.GetBlobContainerClient(Containers.Cluster).GetBlobClient(Heartbeats.Prefix + report.Id).UploadAsync(
            new BinaryData(document.Content), new BlobUploadOptions { Metadata = new Dictionary<string, string> { [Heartbeats.ReportKey] = document.Report } }, Cancellation);
    }
}
