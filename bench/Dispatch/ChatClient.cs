using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OllamaMax.Bench.Dispatch;

/// <param name="FirstText">From the request's start until the first piece of text was read.</param>
/// <param name="Whole">Until the end of the stream.</param>
/// <param name="Text">All of it.</param>
/// <param name="PromptTokens">As the last line says.</param>
internal sealed record ChatAnswer(TimeSpan FirstText, TimeSpan Whole, string Text, int PromptTokens);

/// <summary>Ollama's API from a client's side, streamed; over kept-alive connections as a client library has them.</summary>
internal sealed class ChatClient(HttpClient http)
{
    private static readonly MediaTypeHeaderValue s_json = new("application/json");

    /// <summary>A chat turn with the demo model, at temperature 0.</summary>
    public Task<ChatAnswer> ChatAsync(string message, int tokens, CancellationToken cancellationToken) => AskAsync(
        "/api/chat",
        new JsonObject
        {
            ["model"] = "demo",
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = message }),
            ["options"] = new JsonObject { ["temperature"] = 0, ["num_predict"] = tokens },
        },
        static line => line.GetProperty("message").GetProperty("content").GetString()!,
        null,
        cancellationToken);

    /// <param name="onText">Takes each piece of text as it is read, with its time stamp.</param>
    public Task<ChatAnswer> GenerateAsync(int tokens, Action<string, long>? onText, CancellationToken cancellationToken) => AskAsync(
        "/api/generate",
        new JsonObject { ["model"] = "demo", ["prompt"] = "Count.", ["options"] = new JsonObject { ["num_predict"] = tokens } },
        static line => line.GetProperty("response").GetString()!,
        onText,
        cancellationToken);

    private async Task<ChatAnswer> AskAsync(
        string path, JsonObject body, Func<JsonElement, string> textOf, Action<string, long>? onText, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, path) { Content = new StringContent(body.ToJsonString(), Encoding.UTF8, s_json) };
        long start = Stopwatch.GetTimestamp();
        using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        response.EnsureSuccessStatusCode();
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync(cancellationToken));
        StringBuilder all = new();
        TimeSpan? first = null;
        while (await lines.ReadLineAsync(cancellationToken) is { } line)
        {
            long now = Stopwatch.GetTimestamp();
            using JsonDocument document = JsonDocument.Parse(line);
            string text = textOf(document.RootElement);
            if (text.Length > 0)
            {
                first ??= Stopwatch.GetElapsedTime(start, now);
                onText?.Invoke(text, now);
                all.Append(text);
            }
            if (document.RootElement.GetProperty("done").GetBoolean())
            {
                int prompt = document.RootElement.TryGetProperty("prompt_eval_count", out JsonElement count) ? count.GetInt32() : 0;
                // Read to the end, so that the connection can be used again.
                await lines.ReadToEndAsync(cancellationToken);
                return new(first ?? throw new InvalidOperationException("The answer has no text."), Stopwatch.GetElapsedTime(start), all.ToString(), prompt);
            }
        }
        throw new InvalidOperationException("The stream ended without its last line.");
    }
}
