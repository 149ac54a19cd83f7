using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>
/// Cuts a text into parts of about so many tokens, between words. Tokens are estimated: only workers have a model's vocabulary. A part is never estimated at more than is
/// asked for, but a word alone may be.
/// </summary>
internal static class TextSplitter
{
    /// <param name="overlapTokens">About so many are at the end of one part and again at the begin of the next.</param>
    public static IReadOnlyList<string> Split(string text, int chunkTokens, int overlapTokens)
    {
        List<Word> words = [.. Words(text, chunkTokens)];
        List<string> parts = [];
        for (int from = 0; from < words.Count;)
        {
            int to = from;
            for (int tokens = 0; to < words.Count && (to == from || tokens + words[to].Tokens <= chunkTokens); to++)
                tokens += words[to].Tokens;
            parts.Add(text[words[from].Start..words[to - 1].End]);
            if (to == words.Count)
                break;
            from = Back(words, from, to, overlapTokens);
        }
        return parts;
    }

    /// <summary>Where the next part begins: behind the begin of this one in any case.</summary>
    private static int Back(List<Word> words, int from, int to, int overlapTokens)
    {
        int begin = to;
        for (int tokens = 0; begin - 1 > from && tokens + words[begin - 1].Tokens <= overlapTokens; begin--)
            tokens += words[begin - 1].Tokens;
        return begin;
    }

    /// <summary>Words, each with the space behind it; what has no spaces is cut where it must be.</summary>
    private static IEnumerable<Word> Words(string text, int longest)
    {
        for (int start = 0; start < text.Length;)
        {
            int end = start;
            while (end < text.Length && !char.IsWhiteSpace(text[end]) && end - start < longest)
                end++;
            if (end < text.Length && char.IsLowSurrogate(text[end]))
                end++;
            while (end < text.Length && char.IsWhiteSpace(text[end]))
                end++;
            yield return new(start, end, Math.Max(1, TokenEstimate.Of(text[start..end])));
            start = end;
        }
    }

    private readonly record struct Word(int Start, int End, int Tokens);
}
