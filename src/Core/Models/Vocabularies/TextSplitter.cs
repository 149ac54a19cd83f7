using System.Text;
using System.Text.RegularExpressions;

namespace OllamaMax.Models.Vocabularies;

/// <summary>
/// Splits texts by a vocabulary's expressions, as llama.cpp's <c>unicode_regex_split</c> (src/unicode.cpp): those that name categories see a character of each category
/// instead of the text (<see cref="CharacterView"/>), the others see the characters themselves.
/// </summary>
internal sealed class TextSplitter
{
    private static readonly Dictionary<string, string> s_categories = new()
    {
        ["N"] = $"{CharacterView.Number}0-9",
        ["L"] = $"{CharacterView.Letter}A-Za-z",
        ["P"] = $@"{CharacterView.Punctuation}!-#%-*,-/:-;?-@\[-\]_\{{\}}",
        ["M"] = $"{CharacterView.Mark}",
        ["S"] = $@"{CharacterView.Symbol}\$\+<->\^`\|\~",
    };

    private readonly Stage[] _stages;

    public TextSplitter(IEnumerable<string> expressions) => _stages = [.. expressions.Select(expression =>
    {
        bool namesCategories = expression.Contains(@"\p{", StringComparison.Ordinal);
        return new Stage(new Regex(Written(expression), RegexOptions.CultureInvariant | RegexOptions.Compiled), namesCategories);
    })];

    /// <summary>Where the words end, the last one at the text's end.</summary>
    public List<int> Ends(ReadOnlySpan<char> text)
    {
        if (Ascii.IsValid(text))
            return Ends(text, text);
        CharacterView view = CharacterView.Of(text);
        List<int> ends = Ends(view.Categories, view.Characters);
        for (int i = 0; i < ends.Count; i++)
            ends[i] = view.Starts[ends[i]];
        return ends;
    }

    private List<int> Ends(ReadOnlySpan<char> categories, ReadOnlySpan<char> characters)
    {
        List<int> ends = [categories.Length];
        foreach (Stage stage in _stages)
            ends = Split(stage.Expression, stage.SeesCategories ? categories : characters, ends);
        return ends;
    }

    /// <summary>What matches is a word, and what stands between two that do.</summary>
    private static List<int> Split(Regex expression, ReadOnlySpan<char> text, List<int> ends)
    {
        List<int> finer = new(ends.Count);
        int start = 0;
        foreach (int end in ends)
        {
            int done = start;
            foreach (ValueMatch match in expression.EnumerateMatches(text[start..end]))
            {
                int at = start + match.Index;
                if (at > done)
                    finer.Add(at);
                done = at + match.Length;
                finer.Add(done);
            }
            if (done < end)
                finer.Add(end);
            start = end;
        }
        return finer;
    }

    /// <summary>The expression with the characters of the categories that it names, in brackets where it does not stand in some.</summary>
    private static string Written(string expression)
    {
        StringBuilder written = new();
        bool isInside = false;
        for (int i = 0; i < expression.Length; i++)
        {
            char c = expression[i];
            if (c == '\\' && expression.AsSpan(i).StartsWith(@"\p{"))
            {
                string characters = s_categories[expression.Substring(i + 3, 1)];
                written.Append(isInside ? characters : $"[{characters}]");
                i += 4;
                continue;
            }
            written.Append(c);
            if (c == '\\')
                written.Append(expression[++i]);
            else if (c is '[' or ']')
                isInside = c == '[';
        }
        return written.ToString();
    }

    private readonly record struct Stage(Regex Expression, bool SeesCategories);
}
