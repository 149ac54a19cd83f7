using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests.Forwarding;

/// <summary>
/// A server with OpenAI's API over real HTTP: models, streamed chats and completions with a last chunk of usage, embeddings, errors, cut streams. Its
/// one model, <see cref="Model"/>, writes "0 1 2 …" up to max_tokens, or what <see cref="Chunks"/> say.
/// </summary>
internal sealed class OpenAIServer : IAsyncDisposable
{
    public const string Model = "test/count-7b";

    private readonly WebApplication _app;

    private OpenAIServer(WebApplication app)
    {
        _app = app;
        app.MapGet("/v1/models", ModelsAsync);
        app.MapGet("/props", PropsAsync);
        app.MapPost("/v1/chat/completions", context => AnswerAsync(context, Chat));
        app.MapPost("/v1/completions", context => AnswerAsync(context, Completion));
        app.MapPost("/v1/embeddings", EmbedAsync);
    }

    public Uri Url => new($"{_app.Urls.Single()}/v1");

    /// <summary>Bodies as they came, without those that asked for models.</summary>
    public ConcurrentQueue<JsonElement> Requests { get; } = [];

    /// <summary>The headers of the last one.</summary>
    public IHeaderDictionary? Headers { get; private set; }

    /// <summary>Answers with this status and body, instead; null: does as it should.</summary>
    public (int Status, string Body)? Refuses { get; set; }

    /// <summary>Otherwise it lists one more, of a name that nobody can ask for.</summary>
    public bool HasOneModel { get; set; }

    /// <summary>What llama.cpp's server tells of itself, beside OpenAI's API; null: it does not.</summary>
    public string? Props { get; set; }

    /// <summary>The query of the last one who asked for <see cref="Props"/>.</summary>
    public QueryString PropsQuery { get; private set; }

    /// <summary>The connection is cut before the piece of this index.</summary>
    public int? CutAt { get; set; }

    /// <summary>Waited for before each piece, with its index, and before a refusal.</summary>
    public Func<int, CancellationToken, Task> BeforePiece { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>The choices' chunks of a chat, instead of counting: JSON of <c>choices[0]</c>.</summary>
    public IReadOnlyList<string>? Chunks { get; set; }

    /// <summary>Numbers of a vector: the text's length, 4, and zeros.</summary>
    public int Dimensions { get; set; } = 2;

    /// <summary>Ends when a client has closed the connection of a running answer.</summary>
    public TaskCompletionSource ClientLeft { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static async Task<OpenAIServer> StartAsync(int port = 0)
    {
        var server = new OpenAIServer(LoopbackServer.Build(port));
        await server._app.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    /// <summary>Cuts what is under way.</summary>
    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static string Chat(string content) => $$$"""{"index":0,"delta":{"content":{{{JsonSerializer.Serialize(content)}}}}}""";

    private static string Completion(string text) => $$"""{"index":0,"text":{{JsonSerializer.Serialize(text)}}}""";

    private Task ModelsAsync(HttpContext context)
    {
        string unnamed = HasOneModel ? "" : """,{"id":"no name:at:all","object":"model"}""";
        return context.Response.WriteAsync(
            $$"""{"object":"list","data":[{"id":"{{Model}}","object":"model","created":1700000000,"max_model_len":4096}{{unnamed}}]}""", context.RequestAborted);
    }

    private Task PropsAsync(HttpContext context)
    {
        PropsQuery = context.Request.QueryString;
        context.Response.StatusCode = Refuses?.Status ?? (Props is null ? StatusCodes.Status404NotFound : StatusCodes.Status200OK);
        return context.Response.WriteAsync(Props ?? "", context.RequestAborted);
    }

    private async Task<JsonElement> ReadAsync(HttpContext context)
    {
        Headers = new HeaderDictionary(context.Request.Headers.ToDictionary(header => header.Key, header => header.Value));
        using JsonDocument document = await JsonDocument.ParseAsync(context.Request.Body, default, context.RequestAborted);
        JsonElement body = document.RootElement.Clone();
        Requests.Enqueue(body);
        return body;
    }

    private async Task AnswerAsync(HttpContext context, Func<string, string> counted)
    {
        JsonElement body = await ReadAsync(context);
        if (await IsRefusedAsync(context))
            return;
        context.Response.ContentType = "text/event-stream";
        int most = body.TryGetProperty("max_tokens", out JsonElement limit) ? limit.GetInt32() : int.MaxValue;
        IEnumerable<string> choices = Chunks
            ?? Enumerable.Range(0, most).Select(i => counted($"{i} ")).Append("""{"index":0,"delta":{},"text":"","finish_reason":"length"}""");
        int written = 0;
        try
        {
            await context.Response.WriteAsync(": hello\n\n", context.RequestAborted);
            foreach (string choice in choices)
            {
                await BeforePiece(written, context.RequestAborted);
                if (written == CutAt)
                {
                    context.Abort();
                    return;
                }
                await WriteAsync(context, $$"""{"object":"chat.completion.chunk","model":"{{Model}}","choices":[{{choice}}]}""");
                written++;
            }
            await WriteAsync(context, $$$$"""{"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":{{{{written}}}},"prompt_tokens_details":{"cached_tokens":3}}}""");
            await WriteAsync(context, "[DONE]");
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            ClientLeft.TrySetResult();
        }
    }

    private async Task EmbedAsync(HttpContext context)
    {
        JsonElement body = await ReadAsync(context);
        if (await IsRefusedAsync(context))
            return;
        // In any order, as the index tells it.
        var vectors = body.GetProperty("input").EnumerateArray().Select((input, index) => new { index, embedding = (float[])[input.GetString()!.Length, 4f, .. new float[Dimensions - 2]] }).Reverse();
        await context.Response.WriteAsJsonAsync(new { data = vectors, usage = new { prompt_tokens = 9 } }, context.RequestAborted);
    }

    private async Task<bool> IsRefusedAsync(HttpContext context)
    {
        if (Refuses is not var (status, body))
            return false;
        await BeforePiece(0, context.RequestAborted);
        context.Response.StatusCode = status;
        await context.Response.WriteAsync(body, context.RequestAborted);
        return true;
    }

    private static async Task WriteAsync(HttpContext context, string data)
    {
        await context.Response.WriteAsync($"data: {data}\n\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }
}
