using System.Globalization;
using System.Text;

namespace OllamaMax.Grammars.Automata;

/// <summary>A set of Unicode scalar values, kept as ascending ranges that neither touch nor overlap. Half surrogates are in none.</summary>
internal sealed class CharSet : IEquatable<CharSet>
{
    private const int Last = 0x10FFFF;
    private const int FirstSurrogate = 0xD800;
    private const int LastSurrogate = 0xDFFF;

    private readonly (int From, int To)[] _ranges;

    private CharSet((int From, int To)[] ranges) => _ranges = ranges;

    public static CharSet None { get; } = new([]);

    public static CharSet All { get; } = new([(0, FirstSurrogate - 1), (LastSurrogate + 1, Last)]);

    public IReadOnlyList<(int From, int To)> Ranges => _ranges;

    public bool IsEmpty => _ranges.Length == 0;

    public static CharSet Of(int character) => Of([(character, character)]);

    public static CharSet Of(string characters) => Of(characters.EnumerateRunes().Select(rune => (rune.Value, rune.Value)));

    public static CharSet Of(IEnumerable<(int From, int To)> ranges)
    {
        List<(int From, int To)> merged = [];
        foreach ((int from, int to) in ranges.Where(range => range.From <= range.To).Order())
        {
            if (merged.Count > 0 && from <= merged[^1].To + 1)
                merged[^1] = (merged[^1].From, Math.Max(merged[^1].To, to));
            else
                merged.Add((from, to));
        }
        return new CharSet([.. merged.SelectMany(WithoutSurrogates)]);
    }

    public CharSet Union(CharSet other) => Of(_ranges.Concat(other._ranges));

    public CharSet Intersect(CharSet other)
    {
        List<(int, int)> common = [];
        int mine = 0, theirs = 0;
        while (mine < _ranges.Length && theirs < other._ranges.Length)
        {
            (int from, int to) = (Math.Max(_ranges[mine].From, other._ranges[theirs].From), Math.Min(_ranges[mine].To, other._ranges[theirs].To));
            if (from <= to)
                common.Add((from, to));
            if (_ranges[mine].To < other._ranges[theirs].To)
                mine++;
            else
                theirs++;
        }
        return new CharSet([.. common]);
    }

    public CharSet Complement()
    {
        List<(int, int)> gaps = [];
        int next = 0;
        foreach ((int from, int to) in _ranges)
        {
            gaps.Add((next, from - 1));
            next = to + 1;
        }
        gaps.Add((next, Last));
        return Of(gaps);
    }

    public CharSet Except(CharSet other) => Intersect(other.Complement());

    public bool Contains(int character)
    {
        foreach ((int from, int to) in _ranges)
        {
            if (character <= to)
                return character >= from;
        }
        return false;
    }

    public bool Equals(CharSet? other) => other is not null && _ranges.AsSpan().SequenceEqual(other._ranges);

    public override bool Equals(object? obj) => Equals(obj as CharSet);

    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach ((int From, int To) range in _ranges)
            hash.Add(range);
        return hash.ToHashCode();
    }

    public override string ToString()
    {
        StringBuilder text = new("[");
        foreach ((int from, int to) in _ranges)
            text.Append(CultureInfo.InvariantCulture, $"{from:X}-{to:X} ");
        return text.Append(']').ToString();
    }

    private static IEnumerable<(int, int)> WithoutSurrogates((int From, int To) range)
    {
        if (range.From < FirstSurrogate)
            yield return (range.From, Math.Min(range.To, FirstSurrogate - 1));
        if (range.To > LastSurrogate)
            yield return (Math.Max(range.From, LastSurrogate + 1), range.To);
    }
}
