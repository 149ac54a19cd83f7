using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests.Forwarding;

/// <summary>As much of Ollama's API over real HTTP as lists models, embeds and says one word: two models, of which it cannot show <see cref="Damaged"/>.</summary>
internal sealed class OllamaServer : IAsyncDisposable
{
    public const string Model = "sound:latest";
    public const string Damaged = "damaged:latest";

    private static readonly float[] s_vector = [3, 4];

    private readonly WebApplication _app;

    private OllamaServer(WebApplication app)
    {
        _app = app;
        app.MapGet("/api/tags", context => context.Response.WriteAsJsonAsync(new { models = new[] { Tag(Damaged), Tag(Model) } }));
        app.MapPost("/api/show", ShowAsync);
        app.MapPost("/api/embed", EmbedAsync);
        app.MapPost("/api/chat", ChatAsync);
    }

    public Uri Url => new(_app.Urls.Single());

    /// <summary>Of its model; null: it is of a version that tells none.</summary>
    public string[]? Capabilities { get; set; } = ["embedding"];

    /// <summary>The bodies of what was to be embedded or answered.</summary>
    public ConcurrentQueue<JsonElement> Requests { get; } = [];

    public static async Task<OllamaServer> StartAsync()
    {
        OllamaServer server = new(LoopbackServer.Build());
        await server._app.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static object Tag(string name) => new { name, digest = new string('a', 64), size = 1 };

    private static async Task<JsonElement> ReadAsync(HttpContext context)
    {
        using JsonDocument document = await JsonDocument.ParseAsync(context.Request.Body, default, context.RequestAborted);
        return document.RootElement.Clone();
    }

    private async Task ShowAsync(HttpContext context)
    {
        bool isDamaged = (await ReadAsync(context)).GetProperty("model").GetString() == Damaged;
        context.Response.StatusCode = isDamaged ? StatusCodes.Status500InternalServerError : StatusCodes.Status200OK;
        await context.Response.WriteAsJsonAsync<object>(isDamaged ? new { error = "unexpected EOF" } : new { capabilities = Capabilities }, context.RequestAborted);
    }

    private async Task ChatAsync(HttpContext context)
    {
        Requests.Enqueue(await ReadAsync(context));
        await context.Response.WriteAsync("""{"message":{"role":"assistant","content":"cat"},"done":false}""" + "\n", context.RequestAborted);
        await context.Response.WriteAsync("""{"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":270,"eval_count":1}""" + "\n", context.RequestAborted);
    }

    private async Task EmbedAsync(HttpContext context)
    {
        JsonElement body = await ReadAsync(context);
        Requests.Enqueue(body);
        await context.Response.WriteAsJsonAsync(
            new { embeddings = body.GetProperty("input").EnumerateArray().Select(_ => s_vector), prompt_eval_count = 5 }, context.RequestAborted);
    }
}
