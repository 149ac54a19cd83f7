using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using OllamaMax.TestKit;

namespace OllamaMax.Clients.Tests;

/// <summary>A server with OpenAI's API over real HTTP whose model says what images it was sent: <c>image/png of 70 bytes</c>.</summary>
internal sealed class SeeingServer : IAsyncDisposable
{
    public const string Model = "seeing";

    private readonly WebApplication _app = LoopbackServer.Build();

    private SeeingServer()
    {
        _app.MapGet("/v1/models", () => new { data = new[] { new { id = Model } } });
        _app.MapPost("/v1/chat/completions", AnswerAsync);
    }

    public string Url => $"{_app.Urls.Single()}/v1";

    public static async Task<SeeingServer> StartAsync()
    {
        SeeingServer server = new();
        await server._app.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static async Task AnswerAsync(HttpContext context)
    {
        using JsonDocument request = await JsonDocument.ParseAsync(context.Request.Body, default, context.RequestAborted);
        IEnumerable<string> images =
            from message in request.RootElement.GetProperty("messages").EnumerateArray()
            let content = message.GetProperty("content")
            where content.ValueKind == JsonValueKind.Array
            from part in content.EnumerateArray()
            where part.GetProperty("type").GetString() == "image_url"
            select Describe(part.GetProperty("image_url").GetProperty("url").GetString()!);
        string text = JsonSerializer.Serialize(string.Join(", ", images));
        context.Response.ContentType = "text/event-stream";
        await context.Response.WriteAsync($$$"""data: {"choices":[{"index":0,"delta":{"content":{{{text}}}}}]}""" + "\n\n", context.RequestAborted);
        await context.Response.WriteAsync("""data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":300,"completion_tokens":5}}""" + "\n\n", context.RequestAborted);
        await context.Response.WriteAsync("data: [DONE]\n\n", context.RequestAborted);
    }

    private static string Describe(string url)
    {
        string[] parts = url["data:".Length..].Split(";base64,");
        return $"{parts[0]} of {Convert.FromBase64String(parts[1]).Length} bytes";
    }
}
