using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using OllamaMax.Models;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Browser.Tests;

/// <summary>A registry with one model, which comes as slowly as a test wants to look at it.</summary>
internal sealed class ModelSource : IAsyncDisposable
{
    /// <summary>As it is asked for.</summary>
    public const string Model = "models.test/library/pulled:latest";

    private readonly TempFolder _folder = new();
    private readonly TaskCompletionSource _rest = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WebApplication? _app;

    public Uri Address => new(_app!.Urls.Single());

    /// <summary>Lets the second half of the weights go.</summary>
    public void Finish() => _rest.TrySetResult();

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        byte[] weights = await WriteAsync("pulled", cancellationToken);
        // Of the same content nothing would be fetched again.
        byte[] other = await WriteAsync("other", cancellationToken);
        byte[] config = "{}"u8.ToArray();
        byte[] manifest = JsonSerializer.SerializeToUtf8Bytes(new
        {
            schemaVersion = 2,
            mediaType = ModelManifest.ManifestMediaType,
            config = new { mediaType = ModelManifest.ConfigMediaType, digest = ModelDigest.Of(config), size = config.Length },
            layers = new[] { new { mediaType = ModelLayer.Model, digest = ModelDigest.Of(weights), size = weights.Length } },
        });
        _app = LoopbackServer.Build();
        _app.MapGet("/v2/library/pulled/manifests/latest", () => Results.Bytes(manifest, ModelManifest.ManifestMediaType));
        _app.MapGet($"/v2/library/pulled/blobs/{ModelDigest.Of(config)}", () => Results.Bytes(config));
        _app.MapGet($"/v2/library/pulled/blobs/{ModelDigest.Of(weights)}", context => SendAsync(context, weights));
        _app.MapGet("/files/{file}", () => Results.Bytes(other));
        await _app.StartAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Finish();
        if (_app is not null)
            await _app.DisposeAsync();
        _folder.Dispose();
    }

    private async Task<byte[]> WriteAsync(string name, CancellationToken cancellationToken)
    {
        string file = _folder.File($"{name}.gguf");
        GgufGenerator.Write(file, new() { Name = name });
        return await File.ReadAllBytesAsync(file, cancellationToken);
    }

    private async Task SendAsync(HttpContext context, byte[] weights)
    {
        context.Response.ContentLength = weights.Length;
        await context.Response.Body.WriteAsync(weights.AsMemory(0, weights.Length / 2), context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
        await _rest.Task.WaitAsync(context.RequestAborted);
        await context.Response.Body.WriteAsync(weights.AsMemory(weights.Length / 2), context.RequestAborted);
    }
}
