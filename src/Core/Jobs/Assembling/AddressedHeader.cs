namespace OllamaMax.Jobs.Assembling;

/// <summary>
/// What stands before a message that has a recipient and no channel: <c>&lt;|start|&gt;assistant to=self&lt;|message|&gt;</c>, without the first words where the
/// prompt has them.
/// </summary>
internal static class AddressedHeader
{
    /// <summary>Marks behind a message, the last one behind the turn.</summary>
    public static readonly string[] Ends = ["<|eom|>", "<|eot|>"];

    private const string To = "to=";

    /// <summary>Whom the model addresses with its reasoning.</summary>
    private const string Self = "self";

    /// <summary>Longer than any that a model writes.</summary>
    private const int Longest = 256;

    /// <param name="header">All of it.</param>
    public static bool IsThinking(string header) => header.Contains($"{To}{Self}{HarmonyHeader.Message}", StringComparison.Ordinal);

    /// <summary>Whether text may become a header.</summary>
    public static bool MayBegin(string text)
    {
        if (text.Length > Longest)
            return false;
        string rest = text.TrimStart();
        if (HarmonyHeader.Assistant.StartsWith(rest, StringComparison.Ordinal))
            return true;
        rest = rest.StartsWith(HarmonyHeader.Assistant, StringComparison.Ordinal) ? rest[HarmonyHeader.Assistant.Length..].TrimStart() : rest;
        if (To.StartsWith(rest, StringComparison.Ordinal))
            return true;
        if (rest.StartsWith(To, StringComparison.Ordinal))
        {
            int end = rest.IndexOf('<', StringComparison.Ordinal);
            if (rest.AsSpan(0, end < 0 ? rest.Length : end).ContainsAny(" \t\r\n"))
                return false;
            rest = end < 0 ? "" : rest[end..];
        }
        return HarmonyHeader.Message.StartsWith(rest, StringComparison.Ordinal);
    }
}
