namespace OllamaMax.Inference.Native.Grammars;

/// <summary>
/// The characters that a grammar tells apart: code points that are in the same of its sets are one class, so that a grammar of a few
/// sets has a few classes, however many code points there are.
/// </summary>
internal sealed class Alphabet
{
    /// <summary>The class of what is no character: surrogates.</summary>
    public const int NoClass = -1;

    private const int Ascii = 128;

    private readonly int[] _starts;
    private readonly int[] _classes;
    private readonly int[] _ascii = new int[Ascii];
    private readonly ulong[][] _sets;

    /// <param name="starts">Where ranges of one class begin, ascending from 0.</param>
    /// <param name="classes">The class of each.</param>
    /// <param name="classCount">Number of classes.</param>
    /// <param name="sets">Which classes are in each set, a bit for each.</param>
    public Alphabet(int[] starts, int[] classes, int classCount, ulong[][] sets)
    {
        _starts = starts;
        _classes = classes;
        _sets = sets;
        ClassCount = classCount;
        for (int c = 0; c < Ascii; c++)
            _ascii[c] = _classes[RangeOf(c)];
    }

    public int ClassCount { get; }

    /// <summary>Words of a set's bits.</summary>
    public int Words => (ClassCount + 63) / 64;

    public int ClassOf(int codePoint) => codePoint < Ascii ? _ascii[codePoint] : _classes[RangeOf(codePoint)];

    public ReadOnlySpan<ulong> Set(int set) => _sets[set];

    public bool IsInSet(int set, int @class) => Contains(_sets[set], @class);

    public static bool Contains(ReadOnlySpan<ulong> classes, int @class) => (classes[@class >> 6] >> (@class & 63) & 1) != 0;

    /// <summary>Whether any character from <paramref name="low"/> to <paramref name="high"/> is in one of the classes.</summary>
    public bool Any(ReadOnlySpan<ulong> classes, int low, int high)
    {
        for (int range = RangeOf(low); range < _starts.Length && _starts[range] <= high; range++)
        {
            if (_classes[range] != NoClass && Contains(classes, _classes[range]))
                return true;
        }
        return false;
    }

    private int RangeOf(int codePoint)
    {
        int index = Array.BinarySearch(_starts, codePoint);
        return index >= 0 ? index : ~index - 1;
    }
}
