using Azure.Core;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using OllamaMax.Inference.Packages;
using OllamaMax.Storage.Models;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests.Models;

/// <summary>A catalogue in a container of its own, with a clock that the test moves and every request counted.</summary>
internal sealed class TestCatalog : IDisposable
{
    private readonly TempFolder _folder = new();

    public TestCatalog(string connectionString, bool withCache = false)
    {
        BlobClientOptions options = new();
        options.Retry.MaxRetries = 1;
        options.Retry.Delay = TimeSpan.FromMilliseconds(10);
        options.AddPolicy(Requests, HttpPipelinePosition.PerCall);
        Container = new BlobServiceClient(connectionString, options).GetBlobContainerClient($"models{Guid.NewGuid():n}");
        Catalog = new ModelCatalog(Container, Time, NullLogger<ModelCatalog>.Instance, withCache ? _folder.File("cache") : null);
    }

    public static string DemoPath { get; } = Path.Combine(RepositoryRoot.Find(), "models", "demo", "ollamamax-demo.gguf");

    public BlobContainerClient Container { get; }

    public FakeTimeProvider Time { get; } = new();

    public CountedRequests Requests { get; } = new();

    public ModelCatalog Catalog { get; }

    public string File(string name, byte[] content)
    {
        string path = _folder.File(name);
        System.IO.File.WriteAllBytes(path, content);
        return path;
    }

    public async Task<byte[]> ReadAsync(string blob) =>
        (await Container.GetBlobClient(blob).DownloadContentAsync(TestContext.Current.CancellationToken)).Value.Content.ToArray();

    public void Dispose()
    {
        Catalog.Dispose();
        _folder.Dispose();
    }
}
