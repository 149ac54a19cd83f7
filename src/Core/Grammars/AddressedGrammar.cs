using System.Globalization;
using System.Text;
using OllamaMax.Jobs.Assembling;

namespace OllamaMax.Grammars;

/// <summary>Grammars (GBNF) with the headers of messages to recipients around what they bind, as Muse Glimmer writes them.</summary>
public static class AddressedGrammar
{
    /// <summary>The grammar in a message to the user.</summary>
    public static string InAnswer(string grammar)
    {
        StringBuilder all = new();
        all.Append(CultureInfo.InvariantCulture, $"root ::= {GbnfText.Literal(" to=user" + HarmonyHeader.Message)} in-answer\n");
        GbnfText.AppendRenamed(all, grammar, name => name == "root" ? "in-answer" : name);
        return all.ToString();
    }

    /// <summary>The grammar, of a message with its header, behind reasoning that may be left out.</summary>
    public static string BehindThinking(string grammar)
    {
        string open = GbnfText.Literal(" to=self" + HarmonyHeader.Message);
        string next = GbnfText.Literal(HarmonyHeader.Assistant);
        return ThinkingGrammar.Before(grammar, $"({open} thinking-0 {next})?", gap: "", AddressedHeader.Ends[0]);
    }
}
