using System.Text;
using OllamaMax.Models.Gguf;

namespace OllamaMax.Models.Vocabularies;

/// <summary>
/// SentencePiece's pairs, as of Llama 2 (llama.cpp's SPM): neighbours that make up a token are merged, that of the highest score first; a character that is in
/// no token is written in its bytes, each a token.
/// </summary>
internal sealed class SentencePieceText : ITextTokens, IMergeRule
{
    private readonly Dictionary<string, float> _scores = new(StringComparer.Ordinal);
    private readonly Dictionary<string, float>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly WordCounts _words = new();
    private readonly int _longest;
    private readonly bool _addsSpace;
    private readonly bool _isCut;

    public SentencePieceText(GgufVocabulary vocabulary)
    {
        for (int id = 0; id < vocabulary.Tokens.Count; id++)
            _scores[vocabulary.Tokens[id]] = vocabulary.Scores is { } scores && id < scores.Count ? scores[id] : 0;
        _lookup = _scores.GetAlternateLookup<ReadOnlySpan<char>>();
        _longest = vocabulary.Tokens.Select(token => token.Length).DefaultIfEmpty().Max();
        _addsSpace = vocabulary.GetFlag("tokenizer.ggml.add_space_prefix") ?? true;
        _isCut = !vocabulary.Tokens.Any(token => SpaceMark.IsInside(token));
    }

    public int Count(ReadOnlySpan<char> text, bool followsSpecial)
    {
        string marked = string.Concat(_addsSpace && followsSpecial ? " " : "", text).Replace(' ', SpaceMark.Mark);
        MergeChain chain = new(this);
        int tokens = 0;
        for (ReadOnlySpan<char> left = marked; left.Length > 0;)
        {
            ReadOnlySpan<char> part = left[..(_isCut ? SpaceMark.FirstPart(left) : left.Length)];
            if (!_words.TryGet(part, out int count))
            {
                count = chain.Count(part);
                _words.Keep(part, count);
            }
            tokens += count;
            left = left[part.Length..];
        }
        return tokens;
    }

    public bool TryMerge(ReadOnlySpan<char> pair, int leftLength, out double cost)
    {
        cost = 0;
        if (pair.Length > _longest || !_lookup.TryGetValue(pair, out float score))
            return false;
        cost = -score;
        return true;
    }

    public int TokensOf(ReadOnlySpan<char> symbol) => _lookup.ContainsKey(symbol) ? 1 : Encoding.UTF8.GetByteCount(symbol);
}
