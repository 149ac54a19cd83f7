using System.Text;

namespace OllamaMax.Models.Vocabularies;

/// <summary>
/// The characters of a text, of which the cheapest pair of neighbours is merged, the leftmost of equal ones, until no pair can be. Used again and again,
/// by one thread at a time.
/// </summary>
internal sealed class MergeChain(IMergeRule rule)
{
    private const int None = -1;

    /// <summary>Of one text that nothing splits: what is longer is cut, as a worker does, so that nobody's text takes memory without bound.</summary>
    private const int Longest = 64 << 10;

    private readonly PriorityQueue<Pair, (double Cost, int Left)> _pairs = new();
    private Symbol[] _symbols = new Symbol[64];

    /// <param name="text">Not empty.</param>
    public int Count(ReadOnlySpan<char> text)
    {
        int tokens = 0;
        while (text.Length > Longest)
        {
            int cut = char.IsLowSurrogate(text[Longest]) ? Longest - 1 : Longest;
            tokens += CountPart(text[..cut]);
            text = text[cut..];
        }
        return tokens + CountPart(text);
    }

    private int CountPart(ReadOnlySpan<char> text)
    {
        int count = Read(text);
        for (int i = 1; i < count; i++)
            Offer(text, i - 1, i);
        while (_pairs.TryDequeue(out Pair pair, out _))
            Merge(text, pair);
        int tokens = 0;
        for (int i = 0; i != None; i = _symbols[i].Next)
            tokens += rule.TokensOf(text.Slice(_symbols[i].Start, _symbols[i].Length));
        return tokens;
    }

    private int Read(ReadOnlySpan<char> text)
    {
        if (_symbols.Length < text.Length)
            _symbols = new Symbol[text.Length];
        int count = 0;
        int start = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            _symbols[count] = new() { Start = start, Length = rune.Utf16SequenceLength, Previous = count - 1, Next = count + 1 };
            start += rune.Utf16SequenceLength;
            count++;
        }
        _symbols[count - 1].Next = None;
        return count;
    }

    private void Merge(ReadOnlySpan<char> text, Pair pair)
    {
        ref Symbol left = ref _symbols[pair.Left];
        ref Symbol right = ref _symbols[pair.Right];
        // One of them was merged with another neighbour since.
        if (left.Length != pair.LeftLength || right.Length != pair.RightLength)
            return;
        left.Length += right.Length;
        right.Length = 0;
        left.Next = right.Next;
        if (left.Next != None)
            _symbols[left.Next].Previous = pair.Left;
        Offer(text, left.Previous, pair.Left);
        Offer(text, pair.Left, left.Next);
    }

    private void Offer(ReadOnlySpan<char> text, int leftIndex, int rightIndex)
    {
        if (leftIndex == None || rightIndex == None)
            return;
        Symbol left = _symbols[leftIndex];
        Symbol right = _symbols[rightIndex];
        if (rule.TryMerge(text.Slice(left.Start, left.Length + right.Length), left.Length, out double cost))
            _pairs.Enqueue(new(leftIndex, rightIndex, left.Length, right.Length), (cost, leftIndex));
    }

    private struct Symbol
    {
        public int Start;

        /// <summary>0: it is part of another one.</summary>
        public int Length;

        public int Previous;
        public int Next;
    }

    private readonly record struct Pair(int Left, int Right, int LeftLength, int RightLength);
}
