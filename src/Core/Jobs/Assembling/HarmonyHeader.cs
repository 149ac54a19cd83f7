using System.Text.RegularExpressions;

namespace OllamaMax.Jobs.Assembling;

/// <summary>
/// What stands before a message in OpenAI's harmony: <c>&lt;|start|&gt;assistant to=functions.f&lt;|channel|&gt;commentary &lt;|constrain|&gt;json&lt;|message|&gt;</c>.
/// The recipient may stand behind the channel as well (https://github.com/openai/harmony, docs/format.md).
/// </summary>
/// <param name="Channel">analysis, commentary or final; empty where none is named.</param>
/// <param name="Function">What is called, without the namespace <c>functions</c>; null: nothing.</param>
internal sealed partial record HarmonyHeader(string Channel, string? Function)
{
    public const string Start = "<|start|>";
    public const string ChannelMark = "<|channel|>";
    public const string Message = "<|message|>";
    public const string End = "<|end|>";

    /// <summary>With it a prompt ends.</summary>
    public const string Assistant = Start + "assistant";

    /// <summary>Marks behind a message. The last two are the answer's end for an engine that knows them.</summary>
    public static readonly string[] Ends = [End, "<|return|>", "<|call|>"];

    private const string Namespace = "functions.";

    /// <summary>Longer than any that a model writes.</summary>
    private const int Longest = 256;

    public bool IsThinking => Function is null && Channel == "analysis";

    /// <summary>The answer itself: neither reasoning nor a remark before a call.</summary>
    public bool IsFinal => Function is null && Channel is not ("analysis" or "commentary");

    /// <summary>What a prompt has begun of the model's message, up to its text.</summary>
    /// <param name="ends">Marks behind a message.</param>
    public static string BegunBy(string prompt, IReadOnlyList<string> ends)
    {
        int at = prompt.LastIndexOf(Assistant, StringComparison.Ordinal);
        string begun = at < 0 ? "" : prompt[(at + Assistant.Length)..].TrimEnd();
        int header = begun.IndexOf(Message, StringComparison.Ordinal);
        return ends.Any(end => begun.Contains(end, StringComparison.Ordinal)) ? "" : header < 0 ? begun : begun[..(header + Message.Length)];
    }

    /// <param name="text">All of it. Of what it names twice the last counts: models begin a header anew in its middle.</param>
    public static HarmonyHeader Read(string text)
    {
        string channel = ChannelName.Matches(text).LastOrDefault()?.Groups[1].Value ?? "";
        string? recipient = Recipient.Matches(text).Select(match => match.Groups[1].Value).LastOrDefault(name => name != "assistant");
        bool isFunction = recipient?.StartsWith(Namespace, StringComparison.Ordinal) == true;
        return new(channel, isFunction ? recipient![Namespace.Length..] : recipient);
    }

    /// <summary>Whether text may become a header, whose begin the prompt may have: it has a mark or a recipient first, and nothing that no header has.</summary>
    public static bool MayBegin(string text)
    {
        if (text.Length > Longest || !text.All(IsOfHeader) || Ends.Any(end => text.EndsWith(end, StringComparison.Ordinal)))
            return false;
        string begin = text.TrimStart();
        return HasBegun(begin, "<|") || HasBegun(begin, "to=");
    }

    private static bool HasBegun(string text, string begin) =>
        text.Length < begin.Length ? begin.StartsWith(text, StringComparison.Ordinal) : text.StartsWith(begin, StringComparison.Ordinal);

    private static bool IsOfHeader(char c) => char.IsLetterOrDigit(c) || c is ' ' or '<' or '|' or '>' or '=' or '.' or '_' or '-' or ':' or '/' or '$';

    [GeneratedRegex(@"<\|channel\|>\s*(\w*)")]
    private static partial Regex ChannelName { get; }

    [GeneratedRegex(@"to=([^\s<]+)")]
    private static partial Regex Recipient { get; }
}
