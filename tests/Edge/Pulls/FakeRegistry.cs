using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using OllamaMax.Models;

namespace OllamaMax.Edge.Tests.Pulls;

/// <summary>
/// A registry as Ollama's and Hugging Face's are: tokens by challenge, blobs by redirect to a host of signed addresses that knows ranges. The two
/// are ports of one server. A test can put itself in the way of a request for content.
/// </summary>
internal sealed class FakeRegistry : IAsyncDisposable
{
    private const string Token = "a-token";

    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, byte[]> _blobs = [];
    private readonly ConcurrentDictionary<string, byte[]> _manifests = [];
    private readonly ConcurrentDictionary<string, (string Path, string Oid)[]> _repositories = [];

    private FakeRegistry(WebApplication app)
    {
        _app = app;
        app.Use(GateAsync);
        app.UseRouting();
        app.MapGet("/token", (HttpContext context) =>
            context.Request.Query["service"] == "the registry" && context.Request.Query["scope"].ToString().EndsWith(":pull", StringComparison.Ordinal)
                ? Results.Json(new { token = Token })
                : Results.BadRequest());
        app.MapGet("/v2/{space}/{name}/manifests/{tag}", ManifestAsync);
        app.MapGet("/v2/{space}/{name}/blobs/{digest}", BlobAsync);
        app.MapGet("/content/{digest}", ContentAsync);
        app.MapGet("/api/models/{space}/{name}/tree/main", (string space, string name) =>
            _repositories.TryGetValue($"{space}/{name}", out (string Path, string Oid)[]? files)
                ? Results.Json(files.Select(file => new { type = "file", path = file.Path, lfs = new { oid = file.Oid } }))
                : Results.NotFound());
        app.MapGet("/{space}/{name}/resolve/main/{**file}", (string file) =>
            Results.Redirect($"{ContentUrl}/content/{Uri.EscapeDataString(Path.GetFileName(file))}?signature=x", permanent: false, preserveMethod: true));
    }

    public string RegistryUrl { get; private set; } = "";

    public string ContentUrl { get; private set; } = "";

    /// <summary>The Range of each request for content, "" for the whole, in order.</summary>
    public ConcurrentQueue<string> Ranges { get; } = [];

    /// <summary>Whether each request for content brought a token: none may.</summary>
    public ConcurrentQueue<bool> Tokens { get; } = [];

    /// <summary>Taken by the next request for content, which then gets no other answer.</summary>
    public ConcurrentQueue<Func<HttpContext, byte[], Task>> Faults { get; } = [];

    /// <summary>What each request showed, in order: the server's address, the path, and Authorization.</summary>
    public ConcurrentQueue<(string Server, string Path, string Authorization)> Shown { get; } = [];

    /// <summary>Answers in the place of the registry; null, or what answers null: the registry does.</summary>
    public Func<HttpContext, IResult?>? Gate { get; set; }

    /// <summary>Where tokens are had.</summary>
    public string? Realm { get; set; }

    public static async Task<FakeRegistry> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddRouting();
        builder.WebHost.UseKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        WebApplication app = builder.Build();
        FakeRegistry registry = new(app);
        await app.StartAsync(TestContext.Current.CancellationToken);
        string[] urls = [.. app.Urls];
        (registry.RegistryUrl, registry.ContentUrl) = (urls[0], urls[1]);
        return registry;
    }

    /// <summary>Puts content there, and answers its digest.</summary>
    public string Add(byte[] content)
    {
        string digest = ModelDigest.Of(content);
        _blobs[digest] = content;
        return digest;
    }

    /// <summary>Has something else come under a digest, or under a name of a file.</summary>
    public void Replace(string digest, byte[] content) => _blobs[digest] = content;

    /// <param name="path">namespace/name/tag</param>
    /// <param name="layers">Media type, digest, and the size that the manifest claims.</param>
    public void AddManifest(string path, params (string MediaType, string Digest, long Size)[] layers) => AddManifest(path, "{}", layers);

    public void AddManifest(string path, string config, params (string MediaType, string Digest, long Size)[] layers) =>
        _manifests[path] = JsonSerializer.SerializeToUtf8Bytes(new
        {
            schemaVersion = 2,
            mediaType = ModelManifest.ManifestMediaType,
            config = new { mediaType = ModelManifest.ConfigMediaType, digest = Add(Encoding.UTF8.GetBytes(config)), size = config.Length },
            layers = layers.Select(layer => new { mediaType = layer.MediaType, digest = layer.Digest, size = layer.Size }),
        });

    /// <summary>A manifest of weights alone.</summary>
    public string AddModel(string path, byte[] weights)
    {
        string digest = Add(weights);
        AddManifest(path, (ModelLayer.Model, digest, weights.Length));
        return digest;
    }

    public (string, string, long) Layer(string mediaType, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return (mediaType, Add(bytes), bytes.Length);
    }

    /// <summary>A repository of files as Hugging Face has them, for which the registry's protocol has no manifest.</summary>
    public void AddRepository(string path, params (string Path, byte[] Content)[] files)
    {
        foreach ((string file, byte[] content) in files)
            _blobs[Path.GetFileName(file)] = content;
        _repositories[path] = [.. files.Select(file => (file.Path, ModelDigest.Hex(ModelDigest.Of(file.Content))))];
    }

    public static string ETagOf(byte[] content) => $"\"{ModelDigest.Of(content)[7..20]}\"";

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task GateAsync(HttpContext context, RequestDelegate next)
    {
        Shown.Enqueue(($"http://{context.Request.Host}", context.Request.Path.Value!, context.Request.Headers.Authorization.ToString()));
        if (Gate?.Invoke(context) is { } answer)
            await answer.ExecuteAsync(context);
        else
            await next(context);
    }

    private async Task ManifestAsync(HttpContext context, string space, string name, string tag)
    {
        if (!IsLetIn(context, $"{space}/{name}"))
            return;
        if (_manifests.TryGetValue($"{space}/{name}/{tag}", out byte[]? manifest))
            await Results.Bytes(manifest, ModelManifest.ManifestMediaType).ExecuteAsync(context);
        else if (_repositories.TryGetValue($"{space}/{name}", out (string Path, string Oid)[]? files))
            await Results.Json(new { error = Refusal(tag, files) }, statusCode: StatusCodes.Status400BadRequest).ExecuteAsync(context);
        else
            context.Response.StatusCode = StatusCodes.Status404NotFound;
    }

    /// <summary>As Hugging Face says it (https://github.com/huggingface/hub-docs/issues/2702).</summary>
    private static string Refusal(string tag, (string Path, string Oid)[] files) => tag == "latest" || files.Any(file => file.Path.Contains(tag, StringComparison.OrdinalIgnoreCase))
        ? "The specified tag is a sharded GGUF. Ollama does not support this yet. Please use another tag or \"latest\"."
        : "The specified tag is not available in the repository. Please use another tag or \"latest\"";

    private void BlobAsync(HttpContext context, string space, string name, string digest)
    {
        if (IsLetIn(context, $"{space}/{name}"))
            context.Response.Redirect($"{ContentUrl}/content/{digest}?signature=x", permanent: false, preserveMethod: true);
    }

    private async Task ContentAsync(HttpContext context, string digest)
    {
        if (!_blobs.TryGetValue(digest, out byte[]? content))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        Tokens.Enqueue(context.Request.Headers.Authorization.Count > 0);
        Ranges.Enqueue(context.Request.Headers.Range.ToString());
        if (Faults.TryDequeue(out Func<HttpContext, byte[], Task>? fault))
            await fault(context, content);
        else
            await Results.Bytes(content, enableRangeProcessing: true, entityTag: new EntityTagHeaderValue(ETagOf(content))).ExecuteAsync(context);
    }

    /// <summary>Whoever has come past a test's own gate is.</summary>
    private bool IsLetIn(HttpContext context, string repository)
    {
        if (context.Request.Headers.Authorization == $"Bearer {Token}" || (Gate is not null && context.Request.Headers.Authorization.Count > 0))
            return true;
        string realm = Realm ?? $"http://{context.Request.Host}/token";
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.Headers.WWWAuthenticate = $"Bearer realm=\"{realm}\",service=\"the registry\",scope=\"repository:{repository}:pull\"";
        return false;
    }
}
