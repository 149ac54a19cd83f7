using System.Globalization;
using System.Text;
using OllamaMax.Jobs.Assembling;

namespace OllamaMax.Grammars;

/// <summary>Grammars (GBNF) with the frame of OpenAI's harmony around what they bind. Its marks are tokens, which a grammar knows by their text.</summary>
public static class HarmonyGrammar
{
    /// <summary>Before a call's name and behind it.</summary>
    internal const string BeforeName = HarmonyHeader.ChannelMark + "commentary to=functions.";
    internal const string BehindName = Json + HarmonyHeader.Message;

    private const string Json = " <|constrain|>json";

    /// <summary>The grammar in the final channel.</summary>
    public static string InFinal(string grammar)
    {
        StringBuilder all = new();
        string channel = GbnfText.Literal(HarmonyHeader.ChannelMark + "final");
        all.Append(CultureInfo.InvariantCulture, $"root ::= {channel} {GbnfText.Literal(Json)}? {GbnfText.Literal(HarmonyHeader.Message)} in-final\n");
        GbnfText.AppendRenamed(all, grammar, name => name == "root" ? "in-final" : name);
        return all.ToString();
    }

    /// <summary>The grammar, of a message with its header, behind reasoning that may be left out.</summary>
    public static string BehindAnalysis(string grammar)
    {
        string open = GbnfText.Literal(HarmonyHeader.ChannelMark + "analysis" + HarmonyHeader.Message);
        string next = GbnfText.Literal(HarmonyHeader.Assistant);
        return ThinkingGrammar.Before(grammar, $"({open} thinking-0 {next})?", gap: "", HarmonyHeader.End);
    }
}
