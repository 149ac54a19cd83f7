using System.Buffers;
using System.Text;
using OllamaMax.Models.Gguf;

namespace OllamaMax.Models.Vocabularies;

/// <summary>
/// The tokens that are read by their names wherever these stand: templates write them so. Longest first, each splits what those before it left whole
/// (llama.cpp's <c>tokenizer_st_partition</c>).
/// </summary>
internal sealed class SpecialTokens
{
    private readonly Special[] _all;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _byText;
    private readonly int[] _lengths;
    private readonly SearchValues<string> _any;

    private SpecialTokens(IEnumerable<Special> specials)
    {
        _all = [.. specials.DistinctBy(special => special.Text).OrderByDescending(special => Encoding.UTF8.GetByteCount(special.Text))];
        Dictionary<string, int> byText = new(StringComparer.Ordinal);
        for (int i = 0; i < _all.Length; i++)
            byText.Add(_all[i].Text, i);
        _byText = byText.GetAlternateLookup<ReadOnlySpan<char>>();
        _lengths = [.. _all.Select(special => special.Text.Length).Distinct()];
        _any = SearchValues.Create([.. _all.Select(special => special.Text)], StringComparison.Ordinal);
    }

    public static SpecialTokens Of(GgufVocabulary vocabulary) => new(SpecialNames.Of(vocabulary).Select(name => new Special(name.Text, name.TakesSpace)));

    /// <summary>The text in its order; nothing for an empty one.</summary>
    public List<Part> Split(string text)
    {
        List<Part> parts = text.Length > 0 ? [new(0, text.Length, IsSpecial: false)] : [];
        // Vocabularies have thousands of them, prompts a handful.
        foreach (int index in Present(text))
            parts = Split(text, parts, _all[index]);
        return parts;
    }

    /// <summary>Those that stand in the text, in their order.</summary>
    private SortedSet<int> Present(ReadOnlySpan<char> text)
    {
        SortedSet<int> present = [];
        for (int at = 0; text[at..].IndexOfAny(_any) is >= 0 and { } found; at++)
        {
            at += found;
            foreach (int length in _lengths)
            {
                if (at + length <= text.Length && _byText.TryGetValue(text.Slice(at, length), out int index))
                    present.Add(index);
            }
        }
        return present;
    }

    private static List<Part> Split(string text, List<Part> parts, Special special)
    {
        List<Part> finer = new(parts.Count + 2);
        foreach (Part part in parts)
        {
            if (part.IsSpecial)
            {
                finer.Add(part);
                continue;
            }
            int end = part.Start + part.Length;
            int start = part.Start;
            while (start < end && text.IndexOf(special.Text, start, end - start, StringComparison.Ordinal) is >= 0 and { } at)
            {
                if (at > start)
                    finer.Add(new(start, at - start, IsSpecial: false));
                finer.Add(new(at, special.Text.Length, IsSpecial: true));
                start = at + special.Text.Length;
                while (special.TakesSpace && start < end && text[start] is ' ' or (>= '\t' and <= '\r'))
                    start++;
            }
            if (start < end)
                finer.Add(new(start, end - start, IsSpecial: false));
        }
        return finer;
    }

    /// <summary>A special token, or text between two.</summary>
    internal readonly record struct Part(int Start, int Length, bool IsSpecial);

    /// <param name="Text">As it stands in prompts.</param>
    /// <param name="TakesSpace">White space behind it belongs to it.</param>
    private sealed record Special(string Text, bool TakesSpace);
}
