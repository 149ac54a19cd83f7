using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Requests;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Models;
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
        await ReportAsync(account, site: "paris");
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

    private static ModelView Named(string name) => FixedModels.Able with { Name = ModelName.Parse(name) };

    private static async Task ReportAsync(StorageAccount account, string site)
    {
        WorkerReport report = WorkerReports.Idle() with { Site = site };
        await account.Blobs.GetBlobContainerClient(Containers.Cluster).GetBlobClient(Heartbeats.Prefix + report.Id).UploadAsync(
            new BinaryData(""), new BlobUploadOptions { Metadata = new Dictionary<string, string> { [Heartbeats.ReportKey] = Heartbeats.Write(report) } }, Cancellation);
    }
}
