using System.Diagnostics.Metrics;
using System.Text.Json;
using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Cluster.Leading;
using OllamaMax.Edge.Security.Usage;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Edge.Webhooks;
using OllamaMax.Security;
using OllamaMax.Storage;
using OllamaMax.Storage.Security;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Security;

public sealed class UsageReconcilerTests(AzuriteFixture azurite)
{
    private static readonly LeaderTerm Term = new(1, "leader", DateTimeOffset.UnixEpoch);

    private readonly StorageAccount _account = new(azurite.NewAccount());

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The edge's clock is in January 2026.</summary>
    [Fact]
    public async Task Reconcile_KeptMonths_DeletesThoseBeforeThemAndWithoutTheSettingNone()
    {
        await using EdgeServer edge = await StartAsync();
        UsageStore usage = edge.Services.GetRequiredService<UsageStore>();
        foreach (DateOnly day in (DateOnly[])[new(2025, 10, 31), new(2025, 11, 1), new(2025, 12, 31)])
            await usage.AddAsync(Used(day), $"{day:O}", Cancellation);
        UsageReconciler reconciler = Reconciler(edge);

        (await reconciler.ReconcileAsync(Term, Cancellation)).ShouldBeTrue();
        (await usage.ListAllAsync("acme", Cancellation)).Count.ShouldBe(3);
        edge.Services.GetRequiredService<IOptions<UsageOptions>>().Value.KeptMonths = 2;
        (await reconciler.ReconcileAsync(Term, Cancellation)).ShouldBeTrue();

        (await usage.ListAllAsync("acme", Cancellation)).Select(day => day.Day).ShouldBe([new(2025, 11, 1), new(2025, 12, 31)]);
    }

    [Fact]
    public async Task Reconcile_SomethingIsDamaged_OperatorsAreToldForAsLongAsItLiesThere()
    {
        await using WebhookReceiver receiver = await WebhookReceiver.StartAsync(Cancellation);
        await using EdgeServer edge = await StartAsync(receiver.Url);
        BlobContainerClient keys = _account.Blobs.GetBlobContainerClient(Containers.Keys);
        await keys.UploadBlobAsync("usage/2025-12-01/acme/k1", BinaryData.FromString("{"), Cancellation);
        LeaderMetrics metrics = edge.Services.GetRequiredService<LeaderMetrics>();
        UsageReconciler reconciler = Reconciler(edge);

        await reconciler.ReconcileAsync(Term, Cancellation);

        JsonElement told = JsonElement.Parse((await receiver.NextAsync(Cancellation)).Body);
        told.GetProperty("type").GetString().ShouldBe("usage.damaged");
        string name = told.GetProperty("subject").GetString()!;
        Damaged().ShouldBe(0, "who does not lead says nothing");
        metrics.Leads(1);
        Damaged().ShouldBe(1);
        (await edge.JsonAsync("/usage", SecuredEdge.Admin)).GetProperty("damaged").EnumerateArray().ShouldHaveSingleItem().GetString().ShouldBe(name);
        await keys.DeleteBlobAsync(name, cancellationToken: Cancellation);
        await reconciler.ReconcileAsync(Term, Cancellation);
        Damaged().ShouldBe(0);
        (await edge.JsonAsync("/usage", SecuredEdge.Admin)).TryGetProperty("damaged", out _).ShouldBeFalse();
    }

    private Task<EdgeServer> StartAsync(params string[] urls) => SecuredEdge.StartAsync(_account, more: services =>
    {
        services.AddSingleton<LeaderMetrics>().AddOptions<ClusterOptions>();
        services.Configure<WebhookOptions>(options =>
        {
            foreach (string url in urls)
                options.Urls.Add(url);
            options.Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        });
    });

    private static UsageReconciler Reconciler(EdgeServer edge) => ActivatorUtilities.CreateInstance<UsageReconciler>(edge.Services);

    private static DayUsage Used(DateOnly day) => new(day, "acme", "k1", new Dictionary<string, UseCount> { ["demo"] = new(1, 7, 2) });

    /// <summary>As it is scraped: the most that any edge of this process says.</summary>
    private static int Damaged()
    {
        List<int> all = [];
        using MeterListener listener = new()
        {
            InstrumentPublished = (instrument, own) =>
            {
                if (instrument.Name == "ollamamax_usage_damaged")
                    own.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<int>((_, value, _, _) => all.Add(value));
        listener.Start();
        listener.RecordObservableInstruments();
        return all.Max();
    }
}
