using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests.Forwarding;

/// <summary>As much of Ollama's API over real HTTP as lists models and embeds: two models, of which it cannot show <see cref="Damaged"/>.</summary>
internal sealed class OllamaServer : IAsyncDisposable
{
    public const string Model = "sound:latest";
    public const string Damaged = "damaged:latest";

    private static readonly string[] s_capabilities = ["embedding"];
    private static readonly float[] s_vector = [3, 4];

    private readonly WebApplication _app;

    private OllamaServer(WebApplication app)
    {
        _app = app;
        app.MapGet("/api/tags", context => context.Response.WriteAsJsonAsync(new { models = new[] { Tag(Damaged), Tag(Model) } }));
        app.MapPost("/api/show", ShowAsync);
        app.MapPost("/api/embed", EmbedAsync);
    }

    public Uri Url => new(_app.Urls.Single());

    /// <summary>The bodies of what was to be embedded.</summary>
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

    private static async Task ShowAsync(HttpContext context)
    {
        bool isDamaged = (await ReadAsync(context)).GetProperty("model").GetString() == Damaged;
        context.Response.StatusCode = isDamaged ? StatusCodes.Status500InternalServerError : StatusCodes.Status200OK;
        await context.Response.WriteAsJsonAsync<object>(isDamaged ? new { error = "unexpected EOF" } : new { capabilities = s_capabilities }, context.RequestAborted);
    }

    private async Task EmbedAsync(HttpContext context)
    {
        JsonElement body = await ReadAsync(context);
        Requests.Enqueue(body);
        await context.Response.WriteAsJsonAsync(
            new { embeddings = body.GetProperty("input").EnumerateArray().Select(_ => s_vector), prompt_eval_count = 5 }, context.RequestAborted);
    }
}
