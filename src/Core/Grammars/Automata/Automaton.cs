namespace OllamaMax.Grammars.Automata;

/// <summary>
/// A deterministic finite automaton over Unicode scalar values: a set of texts that can be intersected, complemented and compared
/// exactly. It is minimal, and every state but the start leads to an accepting one, so that a text can always be finished.
/// </summary>
internal sealed class Automaton(IReadOnlyList<Automaton.State> states)
{
    /// <summary>The state that begins is the first.</summary>
    public IReadOnlyList<State> States => states;

    public bool IsEmpty => !states[0].Accepts && states[0].Edges.Count == 0;

    /// <summary>Characters of the longest text; null where there is none that is longest, or none at all.</summary>
    public int? LongestText => IsEmpty || Distances.Longest(states)[0] is not (< Distances.Endless and var longest) ? null : longest;

    /// <summary>All texts.</summary>
    public static Automaton Anything { get; } = Lengths(0, null);

    /// <summary>Texts of so many characters (Unicode scalar values).</summary>
    /// <exception cref="AutomatonTooLargeException">A length is above the limit of states.</exception>
    public static Automaton Lengths(int least, int? most) => AutomatonBuilder.Build(
        0, length => length == most ? [] : [(CharSet.All, most is null ? Math.Min(length + 1, least) : length + 1)], length => length >= least);

    /// <summary>Just these texts.</summary>
    public static Automaton Texts(IEnumerable<string> texts)
    {
        TextTree tree = new();
        foreach (string text in texts)
            tree.Add(text);
        return AutomatonBuilder.Build(tree, node => node.Edges, node => node.Ends, GrammarLimits.TextStates);
    }

    public Automaton Intersect(Automaton other) => AutomatonBuilder.Build(
        (Mine: 0, Theirs: 0),
        at => from mine in states[at.Mine].Edges
              from theirs in other.States[at.Theirs].Edges
              select (mine.On.Intersect(theirs.On), (mine.To, theirs.To)),
        at => states[at.Mine].Accepts && other.States[at.Theirs].Accepts);

    /// <summary>The texts that are not in this set.</summary>
    public Automaton Complement()
    {
        const int Nowhere = -1;
        return AutomatonBuilder.Build(
            0,
            at => at == Nowhere
                ? [(CharSet.All, Nowhere)]
                : [.. states[at].Edges.Select(edge => (edge.On, edge.To)), (Rest(states[at]), Nowhere)],
            at => at == Nowhere || !states[at].Accepts);
    }

    public bool Contains(string text)
    {
        int at = 0;
        foreach (System.Text.Rune rune in text.EnumerateRunes())
        {
            if (states[at].Edges.FirstOrDefault(edge => edge.On.Contains(rune.Value)) is not { } edge)
                return false;
            at = edge.To;
        }
        return states[at].Accepts;
    }

    private static CharSet Rest(State state) =>
        CharSet.Of(state.Edges.SelectMany(edge => edge.On.Ranges)).Complement();

    /// <param name="Accepts">Whether a text may end here.</param>
    /// <param name="Edges">Their sets have no character in common, and no two lead to the same state.</param>
    public sealed record State(bool Accepts, IReadOnlyList<Edge> Edges);

    public sealed record Edge(CharSet On, int To);
}
