using System.Collections.Concurrent;

namespace OllamaMax.Models.Vocabularies;

/// <summary>Tokens of the words that came lately: texts repeat most of theirs. Bounded: when it is full, it begins anew.</summary>
internal sealed class WordCounts
{
    private const int LongestWord = 32;
    private const int MostWords = 1 << 16;

    private volatile Words _words = new();

    public bool TryGet(ReadOnlySpan<char> word, out int tokens) => _words.Lookup.TryGetValue(word, out tokens);

    public void Keep(ReadOnlySpan<char> word, int tokens)
    {
        if (word.Length > LongestWord)
            return;
        Words words = _words;
        if (words.Lookup.TryAdd(word, tokens) && words.Added() > MostWords)
            _words = new();
    }

    private sealed class Words
    {
        private readonly ConcurrentDictionary<string, int> _counts = new(StringComparer.Ordinal);
        private int _added;

        public Words() => Lookup = _counts.GetAlternateLookup<ReadOnlySpan<char>>();

        public ConcurrentDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> Lookup { get; }

        public int Added() => Interlocked.Increment(ref _added);
    }
}
