namespace OllamaMax.Inference.Native.Grammars;

/// <summary>All places that an answer can be at after some character. What comes of it by a class of characters is remembered.</summary>
internal sealed class GrammarLevel
{
    private readonly ulong[] _accepts;
    private readonly GrammarLevel?[] _next;
    private int _generation;

    /// <param name="places">In front of a set of characters, each of them; in the order of <see cref="GrammarFrames.Compare"/>.</param>
    /// <param name="canEnd">The answer may end here.</param>
    /// <param name="grammar">Whose places they are.</param>
    public GrammarLevel(GrammarConfig[] places, bool canEnd, Grammar grammar)
    {
        Places = places;
        CanEnd = canEnd;
        _next = new GrammarLevel?[grammar.Alphabet.ClassCount];
        _accepts = new ulong[grammar.Alphabet.Words];
        foreach (GrammarConfig place in places)
        {
            ReadOnlySpan<ulong> set = grammar.Alphabet.Set(grammar.State(place.State).First);
            for (int i = 0; i < set.Length; i++)
                _accepts[i] |= set[i];
        }
    }

    public GrammarConfig[] Places { get; }

    public bool CanEnd { get; }

    /// <summary>The classes that can follow.</summary>
    public ReadOnlySpan<ulong> Accepts => _accepts;

    /// <summary>What it takes in memory, in units of about 16 bytes.</summary>
    public int Weight => Places.Length + (_next.Length / 2) + 8;

    /// <param name="generation">What was remembered in an older one is forgotten: it holds levels that nobody can get at any more.</param>
    /// <param name="class">A class that can follow.</param>
    public ref GrammarLevel? Next(int generation, int @class)
    {
        if (_generation != generation)
        {
            Array.Clear(_next);
            _generation = generation;
        }
        return ref _next[@class];
    }
}
