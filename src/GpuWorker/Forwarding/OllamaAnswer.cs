using System.Text.Json;
using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Forwarding;

/// <summary>One streamed answer of <c>/api/chat</c> or <c>/api/generate</c>.</summary>
internal sealed class OllamaAnswer : IServerAnswer
{
    public AttemptEnd? End { get; private set; }

    public IEnumerable<ServerPiece> Read(JsonElement document)
    {
        if (ServerConnection.MessageOf(document) is { } error)
        {
            End = new AttemptEnd { Reason = EndReason.Failed, Error = error };
            return [];
        }
        JsonElement message = document.Find("message") ?? document;
        string thinking = message.Text("thinking") ?? "", text = message.Text("content") ?? message.Text("response") ?? "";
        JsonElement[] logprobs = [.. document.Items("logprobs")];
        if (document.IsTrue("done"))
            End = ReadEnd(document);
        return
        [
            .. ServerLogprobs.Pieces(PieceKind.Thinking, thinking, text.Length == 0 ? logprobs : []),
            .. ServerLogprobs.Pieces(PieceKind.Text, text, thinking.Length == 0 ? logprobs : []),
            .. message.Items("tool_calls").Select(Call),
        ];
    }

    private static ServerPiece Call(JsonElement call)
    {
        JsonElement function = call.Find("function") ?? default;
        return ToolCallPiece.Of(function.Text("name") ?? "", function.Find("arguments") is { } arguments ? arguments.GetRawText() : "");
    }

    private static AttemptEnd ReadEnd(JsonElement document) => new()
    {
        Reason = document.Text("done_reason") switch
        {
            "length" => EndReason.Length,
            "load" => EndReason.Loaded,
            _ => EndReason.Stop,
        },
        Tokens = (int?)document.Integer("eval_count"),
        EvalDuration = Nanoseconds(document.Integer("eval_duration")),
        Start = new AttemptStart(
            (int)(document.Integer("prompt_eval_count") ?? 0),
            CachedTokens: 0,
            Nanoseconds(document.Integer("load_duration")),
            Nanoseconds(document.Integer("prompt_eval_duration"))),
    };

    private static TimeSpan Nanoseconds(long? duration) => TimeSpan.FromTicks((duration ?? 0) / TimeSpan.NanosecondsPerTick);
}
