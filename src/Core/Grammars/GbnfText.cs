using System.Globalization;
using System.Text;

namespace OllamaMax.Grammars;

/// <summary>Grammars as text: what it takes to make one of several.</summary>
internal static class GbnfText
{
    /// <summary>Appends the grammar with its rules named anew; what stands in literals, classes and comments is not a name.</summary>
    public static void AppendRenamed(StringBuilder all, string grammar, Func<string, string> newName)
    {
        for (int i = 0; i < grammar.Length;)
        {
            int end = grammar[i] switch
            {
                '"' => EndOf(grammar, i, '"'),
                '[' => EndOf(grammar, i, ']'),
                '{' => EndOf(grammar, i, '}'),
                '#' => EndOfLine(grammar, i),
                var c when IsOfName(c) => EndOfName(grammar, i),
                _ => i + 1,
            };
            if (IsOfName(grammar[i]))
                all.Append(newName(grammar[i..end]));
            else
                all.Append(grammar, i, end - i);
            i = end;
        }
    }

    public static string Literal(string text) => $"\"{string.Concat(text.EnumerateRunes().Select(rune => Escape(rune.Value)))}\"";

    public static string Escape(char c) => Escape((int)c);

    private static string Escape(int codePoint) => codePoint <= byte.MaxValue
        ? string.Create(CultureInfo.InvariantCulture, $"\\x{codePoint:X2}")
        : string.Create(CultureInfo.InvariantCulture, $"\\U{codePoint:X8}");

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
}
