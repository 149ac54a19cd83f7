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
    public static string Before(string grammar, ThinkingTags tags)
    {
        StringBuilder all = new();
        string thought = tags.IsOpen ? "thinking-0" : $"({Literal(tags.Open)} thinking-0)?";
        all.Append(CultureInfo.InvariantCulture, $"root ::= {thought} [ \\n]{{0,4}} {Answer}\n");
        WriteThinking(all, tags.Close);
        WriteWithoutRoot(all, grammar);
        return all.ToString();
    }

    /// <summary>
    /// Any text up to the first closing tag, that included: one rule for each length of the tag's begin that the text may end with (the automaton of
    /// Knuth, Morris and Pratt 1977).
    /// </summary>
    private static void WriteThinking(StringBuilder all, string close)
    {
        char[] letters = [.. close.Distinct().Order()];
        for (int state = 0; state < close.Length; state++)
        {
            all.Append(CultureInfo.InvariantCulture, $"thinking-{state} ::= [{AllBut(letters)}] thinking-0");
            foreach (IGrouping<int, char> step in letters.GroupBy(letter => TextMatch.Advance(close, state, letter)))
            {
                string next = step.Key == close.Length ? "" : $" thinking-{step.Key}";
                all.Append(CultureInfo.InvariantCulture, $" | [{string.Concat(step.Select(Escape))}]{next}");
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

    /// <summary>The grammar, its rule <c>root</c> renamed; what stands in literals, classes and comments is not a name.</summary>
    private static void WriteWithoutRoot(StringBuilder all, string grammar)
    {
        for (int i = 0; i < grammar.Length;)
        {
            int end = grammar[i] switch
            {
                '"' => EndOf(grammar, i, '"'),
                '[' => EndOf(grammar, i, ']'),
                '#' => EndOfLine(grammar, i),
                var c when IsOfName(c) => EndOfName(grammar, i),
                _ => i + 1,
            };
            ReadOnlySpan<char> part = grammar.AsSpan(i, end - i);
            all.Append(part is "root" ? Answer : part);
            i = end;
        }
    }

    private static int EndOf(string grammar, int start, char close)
    {
        int i = start + 1;
        while (i < grammar.Length && grammar[i] != close)
            i += grammar[i] == '\\' ? 2 : 1;
        return Math.Min(i + 1, grammar.Length);
    }

    private static int EndOfLine(string grammar, int start)
    {
        int end = grammar.IndexOf('\n', start);
        return end < 0 ? grammar.Length : end;
    }

    private static int EndOfName(string grammar, int start)
    {
        int i = start;
        while (i < grammar.Length && IsOfName(grammar[i]))
            i++;
        return i;
    }

    private static bool IsOfName(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_';

    private static string Literal(string text) => $"\"{string.Concat(text.Select(Escape))}\"";

    private static string Escape(char c) => $"\\x{(int)c:X2}";
}
