using System.Text.Json;
using OllamaMax.Edge.Anthropic;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;

namespace OllamaMax.Bench.Translation;

/// <summary>One of the three APIs, from both sides.</summary>
/// <param name="Name">For tables.</param>
/// <param name="Path">Of the request.</param>
/// <param name="Limit">How a request says how many tokens it wants: a property, written as JSON.</param>
/// <param name="TextOf">The piece of text in one object of the stream; null where it has none.</param>
/// <param name="Translate">The request's fields to the format that its answer is written in.</param>
internal sealed record AnswerApi(string Name, string Path, Func<int, string> Limit, Func<JsonElement, string?> TextOf, Func<JsonFields, IAnswerFormat> Translate)
{
    private const string Messages = "\"messages\":[{\"role\":\"user\",\"content\":\"Tell me all that there is to be told, and go on.\"}]";

    public static IReadOnlyList<AnswerApi> All { get; } =
    [
        new(
            "Ollama",
            "/api/chat",
            tokens => $"\"options\":{{\"num_predict\":{tokens}}}",
            json => json.GetProperty("message").GetProperty("content").GetString(),
            fields => new Edge.Ollama.ChatFormat(Value(Edge.Ollama.ChatTranslator.Translate(fields)).Inference.Model, TimeProvider.System)),
        new(
            "OpenAI",
            "/v1/chat/completions",
            tokens => $"\"max_completion_tokens\":{tokens}",
            json => json.GetProperty("choices") is { } choices && choices.GetArrayLength() > 0 && choices[0].GetProperty("delta").TryGetProperty("content", out JsonElement text)
                ? text.GetString()
                : null,
            fields => new Edge.OpenAI.ChatFormat(Value(Edge.OpenAI.ChatTranslator.Translate(fields)), TimeProvider.System)),
        new(
            "Anthropic",
            "/v1/messages",
            tokens => $"\"max_tokens\":{tokens}",
            json => json.TryGetProperty("delta", out JsonElement delta) && delta.TryGetProperty("text", out JsonElement text) ? text.GetString() : null,
            fields => new MessagesFormat(Value(MessagesTranslator.Translate(fields)), "bench", TimeProvider.System)),
    ];

    public string Body(string model, int tokens) => $"{{\"model\":\"{model}\",\"stream\":true,{Limit(tokens)},{Messages}}}";

    private static T Value<T>(Result<T> result)
        where T : class => result.Failed(out ApiError? error, out T? value) ? throw new InvalidOperationException(error.Message) : value;
}
