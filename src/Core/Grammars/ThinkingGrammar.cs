using System.Globalization;
using System.Text;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Assembling;

namespace OllamaMax.Grammars;

/// <summary>Lets a model reason freely before its answer follows a grammar (GBNF).</summary>
public static class ThinkingGrammar
{
    private const string Answer = "answer-behind-thinking";
    private const int LastCharacter = 0x10FFFF;

    /// <summary>The grammar with reasoning before it: that must end where the prompt has begun it, and may be left out otherwise.</summary>
    public static string Before(string grammar, ThinkingTags tags) =>
        Before(grammar, tags.IsOpen ? "thinking-0" : $"({GbnfText.Literal(tags.Open)} thinking-0)?", "[ \\n]{0,4}", tags.Close);

    /// <param name="grammar">The answer's.</param>
    /// <param name="thought">What goes before it, as <c>thinking-0</c> with whatever opens it.</param>
    /// <param name="gap">What stands between them.</param>
    /// <param name="close">What ends <c>thinking-0</c>, its last characters.</param>
    internal static string Before(string grammar, string thought, string gap, string close)
    {
        StringBuilder all = new();
        all.Append(CultureInfo.InvariantCulture, $"root ::= {thought} {gap} {Answer}\n");
        WriteUntil(all, "thinking", close);
        GbnfText.AppendRenamed(all, grammar, name => name == "root" ? Answer : name);
        return all.ToString();
    }

    /// <summary>
    /// Any text up to the first closing tag, that included: one rule for each length of the tag's begin that the text may end with (the automaton of
    /// Knuth, Morris and Pratt 1977). The first one is <c>name-0</c>.
    /// </summary>
    internal static void WriteUntil(StringBuilder all, string name, string close)
    {
        char[] letters = [.. close.Distinct().Order()];
        for (int state = 0; state < close.Length; state++)
        {
            all.Append(CultureInfo.InvariantCulture, $"{name}-{state} ::= [{AllBut(letters)}] {name}-0");
            foreach (IGrouping<int, char> step in letters.GroupBy(letter => TextMatch.Advance(close, state, letter)))
            {
                string next = step.Key == close.Length ? "" : $" {name}-{step.Key}";
                all.Append(CultureInfo.InvariantCulture, $" | [{string.Concat(step.Select(GbnfText.Escape))}]{next}");
            }
            all.Append('\n');
        }
    }

    /// <summary>Ranges of all characters but those, which are sorted.</summary>
    private static string AllBut(char[] letters)
    {
        StringBuilder ranges = new();
        int from = 1;
        foreach (int letter in letters.Select(letter => (int)letter).Append(LastCharacter + 1))
        {
            if (from < letter)
                ranges.Append(CultureInfo.InvariantCulture, $"\\U{from:X8}-\\U{letter - 1:X8}");
            from = letter + 1;
        }
        return ranges.ToString();
    }
}
