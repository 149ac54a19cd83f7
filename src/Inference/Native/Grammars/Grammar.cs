namespace OllamaMax.Inference.Native.Grammars;

/// <summary>
/// A context-free grammar in the form that is followed: a transition network with a call for each reference to a rule (Woods 1970,
/// https://doi.org/10.1145/355598.362773). Immutable; any number of answers follow it at once.
/// </summary>
internal sealed class Grammar
{
    /// <summary>Where every rule ends: go on after the call.</summary>
    public const int End = 0;

    private readonly GrammarState[] _states;
    private readonly int[] _starts;

    public Grammar(Alphabet alphabet, GrammarState[] states, int[] starts, int root)
    {
        Alphabet = alphabet;
        _states = states;
        _starts = starts;
        Root = starts[root];
    }

    public Alphabet Alphabet { get; }

    /// <summary>The state that an answer begins in.</summary>
    public int Root { get; }

    /// <param name="gbnf">GBNF whose rule <c>root</c> is the whole answer; see <see cref="GrammarParser"/>.</param>
    /// <param name="error">What is wrong with it, to be read after "the grammar".</param>
    /// <returns>Null where it cannot be read.</returns>
    public static Grammar? TryParse(string gbnf, out string? error)
    {
        try
        {
            AlphabetBuilder alphabet = new();
            IReadOnlyList<(string Name, GrammarNode Body)> rules = new GrammarParser(gbnf, alphabet).Read();
            int root = rules.Select(static rule => rule.Name).ToList().IndexOf("root");
            error = root < 0 ? "has no rule 'root'" : null;
            return root < 0 ? null : new GrammarCompiler().Compile([.. rules.Select(static rule => rule.Body)], root, alphabet.Build());
        }
        catch (GrammarException failure)
        {
            error = failure.Message;
            return null;
        }
    }

    public GrammarState State(int state) => _states[state];

    public int Start(int rule) => _starts[rule];
}

/// <param name="Kind">What to do here.</param>
/// <param name="First">Split: the one way; Chars: the set; Call: the rule.</param>
/// <param name="Next">Split: the other way; Chars, Call: where to go on.</param>
internal readonly record struct GrammarState(GrammarStateKind Kind, int First, int Next);

internal enum GrammarStateKind
{
    End,
    Split,
    Chars,
    Call,
}
