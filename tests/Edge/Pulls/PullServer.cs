using System.Security.Cryptography;
using System.Text.Json;
using Azure.Storage.Blobs;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Ollama;
using OllamaMax.Edge.Pulls;
using OllamaMax.Edge.Requests;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Edge.Uploads;
using OllamaMax.Inference.Packages;
using OllamaMax.Models;
using OllamaMax.Storage;
using OllamaMax.Storage.Models;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Pulls;

/// <summary>An edge that pulls from a <see cref="FakeRegistry"/> into Azurite, and takes and makes models there.</summary>
internal sealed class PullServer : IAsyncDisposable
{
    private static readonly string DemoPath = Path.Combine(RepositoryRoot.Find(), "models", "demo", "ollamamax-demo.gguf");

    private PullServer(EdgeServer edge, FakeRegistry registry, BlobServiceClient storage, ModelCatalog catalog, ModelBlobs blobs)
    {
        (Edge, Registry, Catalog, Blobs) = (edge, registry, catalog, blobs);
        Storage = storage.GetBlobContainerClient(Containers.Models);
        OtherEdge = new StagedBlobs(storage, TimeProvider.System);
    }

    public EdgeServer Edge { get; }

    public FakeRegistry Registry { get; }

    public ModelCatalog Catalog { get; }

    public ModelBlobs Blobs { get; }

    /// <summary>Of the models.</summary>
    public BlobContainerClient Storage { get; }

    /// <summary>What another edge downloads.</summary>
    public StagedBlobs OtherEdge { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <param name="azurite">The storage.</param>
    /// <param name="configure">The edge.</param>
    /// <param name="storage">Another way to the fixture's storage; null: the direct one.</param>
    /// <param name="renderer">What renders templates; null: what never fails.</param>
    /// <param name="sources">What the edge shows hosts.</param>
    /// <param name="limit">When it is cancelled, requests have reached the limit of a server that has one; null: it has none.</param>
    public static async Task<PullServer> StartAsync(
        AzuriteFixture azurite, Action<EdgeOptions>? configure = null, BlobServiceClient? storage = null, IPromptRenderer? renderer = null,
        Func<FakeRegistry, SourceCredential[]>? sources = null, CancellationToken? limit = null)
    {
        storage ??= new(azurite.ConnectionString);
        await storage.GetBlobContainerClient(Containers.Models).CreateIfNotExistsAsync(cancellationToken: Cancel);
        FakeRegistry registry = await FakeRegistry.StartAsync();
        ModelBlobs blobs = new(storage);
        ModelCatalog catalog = new(storage, TimeProvider.System, NullLogger<ModelCatalog>.Instance);
        EdgeServer edge = await EdgeServer.StartAsync(configure, services =>
        {
            if (renderer is not null)
                services.AddSingleton(renderer);
            services.AddSingleton(catalog)
                .AddSingleton(blobs)
                .AddSingleton(provider => new StagedBlobs(storage, provider.GetRequiredService<TimeProvider>()))
                .AddSingleton(new PullEnds(storage))
                .AddSingleton(new UploadedBlobs(storage, new BlobSigner(storage), blobs))
                .AddSingleton<IEndpointGroup, UploadEndpoints>()
                .AddSingleton<IEndpointGroup, BlobEndpoints>()
                .AddSingleton<IEndpointGroup, ModelChangeEndpoints>()
                .AddSingleton<IStartupFilter>(new LimitedRequests(limit))
                .AddPulls()
                .Configure<PullOptions>(options =>
                {
                    options.Hosts.Add($"{ModelName.DefaultHost}={registry.RegistryUrl}");
                    options.Hosts.Add($"hf.co={registry.RegistryUrl}");
                    options.Hosts.Add($"content={registry.ContentUrl}");
                    foreach (SourceCredential source in sources?.Invoke(registry) ?? [])
                        options.Sources.Add(source);
                });
        });
        return new(edge, registry, storage, catalog, blobs);
    }

    /// <summary>The demo model, unlike every other one: tests share a storage account.</summary>
    public static byte[] UniqueModel() => [.. File.ReadAllBytes(DemoPath), .. RandomNumberGenerator.GetBytes(64)];

    /// <summary>A name that no other test has.</summary>
    public static string UniqueName() => $"m{Guid.NewGuid():n}";

    public Task<HttpResponseMessage> PullAsync(object request) => Edge.PostAsync("/api/pull", JsonSerializer.Serialize(request));

    /// <summary>The lines of a pull from its begin to its end.</summary>
    public async Task<string[]> LinesAsync(object request)
    {
        using HttpResponseMessage response = await PullAsync(request);
        return await response.LinesAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Edge.DisposeAsync();
        await Registry.DisposeAsync();
        Catalog.Dispose();
    }
}
