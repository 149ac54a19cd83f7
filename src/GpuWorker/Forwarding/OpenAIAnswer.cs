using System.Text;
using System.Text.Json;
using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Forwarding;

/// <summary>
/// One streamed answer of <c>/chat/completions</c> or <c>/completions</c>. Calls come in fragments: one is whole when the next begins, or the answer ends.
/// </summary>
internal sealed class OpenAIAnswer : IServerAnswer
{
    private readonly StringBuilder _arguments = new();
    private string? _function;
    private long _call = -1;

    public AttemptEnd? End { get; private set; }

    public IEnumerable<ServerPiece> Read(JsonElement document)
    {
        if (ServerConnection.MessageOf(document) is { } error)
        {
            End = new AttemptEnd { Reason = EndReason.Failed, Error = error };
            return [];
        }
        List<ServerPiece> pieces = [];
        foreach (JsonElement choice in document.Items("choices"))
            Read(choice, pieces);
        // It comes with the last choice, or after it by itself.
        if (End is { Reason: not EndReason.Failed } && document.Find("usage") is { } usage)
            End = WithUsage(End, usage);
        return pieces;
    }

    private void Read(JsonElement choice, List<ServerPiece> pieces)
    {
        JsonElement delta = choice.Find("delta") ?? default;
        string thinking = delta.Text("reasoning_content") ?? delta.Text("reasoning") ?? "";
        string text = delta.Text("content") ?? choice.Text("text") ?? "";
        JsonElement[] logprobs = [.. choice.Find("logprobs")?.Items("content") ?? []];
        pieces.AddRange(ServerLogprobs.Pieces(PieceKind.Thinking, thinking, text.Length == 0 ? logprobs : []));
        pieces.AddRange(ServerLogprobs.Pieces(PieceKind.Text, text, thinking.Length == 0 ? logprobs : []));
        foreach (JsonElement fragment in delta.Items("tool_calls"))
            ReadCall(fragment, pieces);
        if (choice.Text("finish_reason") is not { } reason)
            return;
        FinishCall(pieces);
        End ??= new AttemptEnd { Reason = reason == "length" ? EndReason.Length : EndReason.Stop };
    }

    private void ReadCall(JsonElement fragment, List<ServerPiece> pieces)
    {
        JsonElement function = fragment.Find("function") ?? default;
        long index = fragment.Integer("index") ?? _call;
        if (index != _call || (_function is null && function.Text("name") is not null))
        {
            FinishCall(pieces);
            _call = index;
        }
        _function ??= function.Text("name");
        _arguments.Append(function.Text("arguments"));
    }

    private void FinishCall(List<ServerPiece> pieces)
    {
        if (_function is not null)
            pieces.Add(ToolCallPiece.Of(_function, _arguments.ToString()));
        _function = null;
        _arguments.Clear();
    }

    private static AttemptEnd WithUsage(AttemptEnd end, JsonElement usage) => end with
    {
        Tokens = (int?)usage.Integer("completion_tokens"),
        Start = new AttemptStart(
            (int)(usage.Integer("prompt_tokens") ?? 0),
            (int)(usage.Find("prompt_tokens_details")?.Integer("cached_tokens") ?? 0),
            LoadDuration: TimeSpan.Zero,
            PromptDuration: TimeSpan.Zero),
    };
}
