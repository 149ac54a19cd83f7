using System.Globalization;
using System.Text;
using OllamaMax.Models.Gguf;

namespace OllamaMax.Models.Vocabularies;

/// <summary>The merges of a vocabulary of pairs, the one that stands first in the file before the others.</summary>
internal sealed class BytePairs : IMergeRule
{
    private readonly Dictionary<string, int> _ranks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> _tokens;
    private readonly int _longest;
    private readonly bool _isRaw;

    public BytePairs(GgufVocabulary vocabulary, bool isRaw)
    {
        for (int rank = 0; rank < vocabulary.Merges.Count; rank++)
            _ranks.TryAdd(vocabulary.Merges[rank], rank);
        _lookup = _ranks.GetAlternateLookup<ReadOnlySpan<char>>();
        _tokens = new HashSet<string>(vocabulary.Tokens, StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
        _longest = vocabulary.Merges.Select(merge => merge.Length).Max();
        _isRaw = isRaw;
    }

    public bool HasToken(ReadOnlySpan<char> text) => _tokens.Contains(text);

    public bool TryMerge(ReadOnlySpan<char> pair, int leftLength, out double cost)
    {
        cost = 0;
        if (pair.Length >= _longest)
            return false;
        // As the file writes them: no symbol has a space of its own.
        Span<char> key = stackalloc char[pair.Length + 1];
        pair[..leftLength].CopyTo(key);
        key[leftLength] = ' ';
        pair[leftLength..].CopyTo(key[(leftLength + 1)..]);
        bool isMerge = _lookup.TryGetValue(key, out int rank);
        cost = rank;
        return isMerge;
    }

    /// <summary>A symbol that is no token is written in bytes; those that the vocabulary lacks are left out.</summary>
    public int TokensOf(ReadOnlySpan<char> symbol)
    {
        if (HasToken(symbol))
            return 1;
        int tokens = 0;
        if (!_isRaw)
        {
            // Byte by byte of what stands for them, as llama.cpp does: only an ASCII one is a whole character then.
            for (int i = 0; i < symbol.Length; i++)
                tokens += char.IsAscii(symbol[i]) && HasToken(symbol.Slice(i, 1)) ? 1 : 0;
            return tokens;
        }
        foreach (byte value in Encoding.UTF8.GetBytes(symbol.ToString()))
            tokens += HasToken(string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>")) ? 1 : 0;
        return tokens;
    }
}
