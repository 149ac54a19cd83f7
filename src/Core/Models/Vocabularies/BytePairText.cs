using OllamaMax.Models.Gguf;

namespace OllamaMax.Models.Vocabularies;

/// <summary>
/// Pairs of bytes, as since GPT-2, or of characters (llama.cpp's BPE): a text is split into words by the vocabulary's own expressions, and each word merged for itself.
/// </summary>
internal sealed class BytePairText : ITextTokens
{
    private readonly WordCounts _words = new();
    private readonly TextSplitter _splitter;
    private readonly BytePairs _pairs;
    private readonly PreTokenizer _pre;
    private readonly bool _isCut;

    public BytePairText(GgufVocabulary vocabulary, PreTokenizer pre)
    {
        _splitter = new(pre.Expressions);
        _pairs = new(vocabulary, pre.IsRaw);
        _pre = pre;
        // Merges across a space's beginning would show there.
        _isCut = pre.IsRaw && !vocabulary.Merges.Any(merge => SpaceMark.IsInside(merge.Replace(" ", "", StringComparison.Ordinal)));
    }

    public int Count(ReadOnlySpan<char> text, bool followsSpecial)
    {
        if (_pre.IsRaw)
            text = text.ToString().Replace(' ', SpaceMark.Mark);
        MergeChain chain = new(_pairs);
        int tokens = 0;
        int start = 0;
        foreach (int end in _splitter.Ends(text))
        {
            tokens += _pre.IsRaw ? CountLine(text[start..end], chain) : CountWord(text[start..end], chain);
            start = end;
        }
        return tokens;
    }

    private int CountLine(ReadOnlySpan<char> line, MergeChain chain)
    {
        if (_pre.KeepsLineEnds && !line.ContainsAnyExcept('\n') && _pairs.HasToken(line))
            return 1;
        int tokens = 0;
        while (line.Length > 0)
        {
            ReadOnlySpan<char> part = line[..(_isCut ? SpaceMark.FirstPart(line) : line.Length)];
            tokens += CountWord(part, chain);
            line = line[part.Length..];
        }
        return tokens;
    }

    private int CountWord(ReadOnlySpan<char> word, MergeChain chain)
    {
        if (_words.TryGet(word, out int tokens))
            return tokens;
        ReadOnlySpan<char> written = _pre.IsRaw ? word : ByteText.Write(word);
        tokens = _pre.IgnoresMerges && _pairs.HasToken(written) ? 1 : chain.Count(written);
        _words.Keep(word, tokens);
        return tokens;
    }
}
