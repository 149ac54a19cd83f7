using System.Runtime.InteropServices;

namespace OllamaMax.Inference.Native.Grammars;

/// <summary>Collects the sets of characters of a grammar and divides the code points by them.</summary>
internal sealed class AlphabetBuilder
{
    public const int LastCodePoint = 0x10FFFF;
    private const int FirstSurrogate = 0xD800;
    private const int AfterSurrogates = 0xE000;
    private const int MaxSets = 2048;
    private const int MaxRanges = 20_000;

    private readonly Dictionary<string, int> _numbers = [];
    private readonly List<(int Low, int High)[]> _sets = [];
    private int _ranges;

    /// <returns>The number of a set; equal sets have the same one.</returns>
    /// <exception cref="GrammarException">There are too many.</exception>
    public int Add(List<(int Low, int High)> ranges, bool negated)
    {
        (int Low, int High)[] set = [.. negated ? Others(Merge(ranges)) : Merge(ranges)];
        string key = new(MemoryMarshal.Cast<(int, int), char>(set));
        if (_numbers.TryGetValue(key, out int number))
            return number;
        _ranges += set.Length;
        if (_sets.Count == MaxSets || _ranges > MaxRanges)
            throw new GrammarException($"has more than {MaxSets} different sets of characters, or {MaxRanges} ranges in them");
        _numbers.Add(key, _sets.Count);
        _sets.Add(set);
        return _sets.Count - 1;
    }

    // A sweep over the borders of all sets: between two borders nothing changes, and what is in the same sets is the same class.
    public Alphabet Build()
    {
        SortedDictionary<int, List<int>> borders = new() { [0] = [], [FirstSurrogate] = [], [AfterSurrogates] = [] };
        for (int set = 0; set < _sets.Count; set++)
        {
            foreach ((int low, int high) in _sets[set])
            {
                Border(borders, low).Add(set);
                Border(borders, high + 1).Add(set);
            }
        }
        borders.Remove(LastCodePoint + 1);

        ulong[] inside = new ulong[(_sets.Count + 63) / 64];
        Dictionary<string, int> numbers = [];
        List<ulong[]> members = [];
        List<int> starts = [], classes = [];
        foreach ((int start, List<int> toggled) in borders)
        {
            foreach (int set in toggled)
                inside[set >> 6] ^= 1UL << (set & 63);
            string key = new(MemoryMarshal.Cast<ulong, char>(inside));
            starts.Add(start);
            if (start is >= FirstSurrogate and < AfterSurrogates)
            {
                classes.Add(Alphabet.NoClass);
                continue;
            }
            if (!numbers.TryGetValue(key, out int number))
            {
                numbers.Add(key, number = numbers.Count);
                members.Add([.. inside]);
            }
            classes.Add(number);
        }
        return new Alphabet([.. starts], [.. classes], members.Count, ClassesOfSets(members));
    }

    private static List<int> Border(SortedDictionary<int, List<int>> borders, int at)
    {
        if (!borders.TryGetValue(at, out List<int>? sets))
            borders.Add(at, sets = []);
        return sets;
    }

    private ulong[][] ClassesOfSets(List<ulong[]> members)
    {
        ulong[][] sets = new ulong[_sets.Count][];
        for (int set = 0; set < sets.Length; set++)
        {
            sets[set] = new ulong[(members.Count + 63) / 64];
            for (int @class = 0; @class < members.Count; @class++)
            {
                if (Alphabet.Contains(members[@class], set))
                    sets[set][@class >> 6] |= 1UL << (@class & 63);
            }
        }
        return sets;
    }

    private static IEnumerable<(int Low, int High)> Merge(List<(int Low, int High)> ranges)
    {
        ranges.Sort();
        (int low, int high) = ranges[0];
        foreach ((int nextLow, int nextHigh) in ranges)
        {
            if (nextLow > high + 1)
            {
                yield return (low, high);
                (low, high) = (nextLow, nextHigh);
            }
            high = Math.Max(high, nextHigh);
        }
        yield return (low, high);
    }

    private static IEnumerable<(int Low, int High)> Others(IEnumerable<(int Low, int High)> ranges)
    {
        int next = 0;
        foreach ((int low, int high) in ranges)
        {
            if (low > next)
                yield return (next, low - 1);
            next = high + 1;
        }
        if (next <= LastCodePoint)
            yield return (next, LastCodePoint);
    }
}
