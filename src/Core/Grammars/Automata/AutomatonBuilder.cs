namespace OllamaMax.Grammars.Automata;

/// <summary>Explores states of any kind into an automaton; drops those that lead nowhere, and merges those that are alike.</summary>
internal static class AutomatonBuilder
{
    /// <param name="start">Where a text begins.</param>
    /// <param name="edges">What follows a state, and by which characters: no character twice, empty sets are ignored.</param>
    /// <param name="accepts">Whether a text may end in a state.</param>
    /// <exception cref="AutomatonTooLargeException">There are too many states.</exception>
    public static Automaton Build<T>(T start, Func<T, IEnumerable<(CharSet On, T To)>> edges, Func<T, bool> accepts, int limit = GrammarLimits.States)
        where T : notnull
    {
        Dictionary<T, int> numbers = new() { [start] = 0 };
        List<T> found = [start];
        List<Automaton.State> states = [];
        for (int i = 0; i < found.Count; i++)
        {
            List<Automaton.Edge> outgoing = [];
            foreach ((CharSet on, T to) in edges(found[i]))
            {
                if (on.IsEmpty)
                    continue;
                if (!numbers.TryGetValue(to, out int number))
                {
                    number = numbers[to] = found.Count;
                    found.Add(to);
                    if (found.Count > limit)
                        throw new AutomatonTooLargeException();
                }
                outgoing.Add(new(on, number));
            }
            states.Add(new(accepts(found[i]), outgoing));
        }
        int[] shortest = Distances.Shortest(states);
        return Minimize(WithoutDeadEnds(states, shortest), shortest);
    }

    private static List<Automaton.State> WithoutDeadEnds(List<Automaton.State> states, int[] shortest) =>
        // The dead stay in the list, since numbers are places in it; nothing leads to them any more.
        [.. states.Select(state => state with { Edges = [.. state.Edges.Where(edge => shortest[edge.To] != Distances.Never)] })];

    /// <summary>
    /// Moore's algorithm: states are alike until a character leads them to states that are not. What is already told apart by how long
    /// the rest of a text can be needs no rounds, of which a chain of n states would take n.
    /// </summary>
    private static Automaton Minimize(List<Automaton.State> states, int[] shortest)
    {
        int[][] targets = Targets(states);
        int[] longest = Distances.Longest(states);
        Dictionary<(int, int), int> lengths = [];
        int[] classes = new int[states.Count];
        for (int i = 0; i < states.Count; i++)
        {
            if (!lengths.TryGetValue((shortest[i], longest[i]), out classes[i]))
                classes[i] = lengths[(shortest[i], longest[i])] = lengths.Count;
        }
        int count = -1;
        while (true)
        {
            Dictionary<Signature, int> numbers = [];
            int[] refined = new int[states.Count];
            for (int i = 0; i < states.Count; i++)
            {
                Signature signature = new(classes[i], [.. targets[i].Select(target => target < 0 ? -1 : classes[target])]);
                if (!numbers.TryGetValue(signature, out refined[i]))
                    refined[i] = numbers[signature] = numbers.Count;
            }
            classes = refined;
            if (numbers.Count == count)
                return Merged(states, classes);
            count = numbers.Count;
        }
    }

    /// <summary>Where each state is led by each group of characters that no edge tells apart; -1: nowhere.</summary>
    private static int[][] Targets(List<Automaton.State> states)
    {
        int[] borders = [.. states.SelectMany(state => state.Edges).SelectMany(edge => edge.On.Ranges)
            .SelectMany(range => (int[])[range.From, range.To + 1]).Distinct().Order()];
        return [.. states.Select(state => Targets(state, borders))];
    }

    private static int[] Targets(Automaton.State state, int[] borders)
    {
        int[] targets = new int[borders.Length];
        Array.Fill(targets, -1);
        foreach (Automaton.Edge edge in state.Edges)
        {
            foreach ((int from, int to) in edge.On.Ranges)
            {
                int first = Array.BinarySearch(borders, from);
                for (int i = first; i < borders.Length && borders[i] <= to; i++)
                    targets[i] = edge.To;
            }
        }
        return targets;
    }

    private static Automaton Merged(List<Automaton.State> states, int[] classes)
    {
        // The start is numbered first, the rest as they are reached.
        Dictionary<int, int> numbers = new() { [classes[0]] = 0 };
        List<int> found = [0];
        List<Automaton.State> merged = [];
        for (int i = 0; i < found.Count; i++)
        {
            Automaton.State state = states[found[i]];
            List<Automaton.Edge> edges = [];
            foreach (IGrouping<int, Automaton.Edge> group in state.Edges.GroupBy(edge => classes[edge.To]))
            {
                if (!numbers.TryGetValue(group.Key, out int number))
                {
                    number = numbers[group.Key] = found.Count;
                    found.Add(group.First().To);
                }
                edges.Add(new(CharSet.Of(group.SelectMany(edge => edge.On.Ranges)), number));
            }
            merged.Add(state with { Edges = edges });
        }
        return new Automaton(merged);
    }

    private readonly struct Signature(int ownClass, int[] targets) : IEquatable<Signature>
    {
        private readonly int _class = ownClass;
        private readonly int[] _targets = targets;

        public bool Equals(Signature other) => _class == other._class && _targets.AsSpan().SequenceEqual(other._targets);

        public override bool Equals(object? obj) => obj is Signature other && Equals(other);

        public override int GetHashCode()
        {
            HashCode hash = default;
            hash.Add(_class);
            hash.AddBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(_targets.AsSpan()));
            return hash.ToHashCode();
        }
    }
}
