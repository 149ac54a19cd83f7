namespace OllamaMax.Grammars.Automata;

/// <summary>How many characters the rest of a text may have, for each state.</summary>
internal static class Distances
{
    /// <summary>No text can end from here.</summary>
    public const int Never = -1;

    /// <summary>There is no longest rest.</summary>
    public const int Endless = int.MaxValue;

    public static int[] Shortest(IReadOnlyList<Automaton.State> states)
    {
        List<int>[] sources = Sources(states);
        int[] shortest = [.. states.Select(state => state.Accepts ? 0 : Never)];
        Queue<int> next = new(Enumerable.Range(0, states.Count).Where(i => states[i].Accepts));
        while (next.TryDequeue(out int state))
        {
            foreach (int source in sources[state].Where(source => shortest[source] == Never))
            {
                shortest[source] = shortest[state] + 1;
                next.Enqueue(source);
            }
        }
        return shortest;
    }

    /// <summary>States without dead ends among them are expected: a ring of those would count as endless.</summary>
    public static int[] Longest(IReadOnlyList<Automaton.State> states)
    {
        List<int>[] sources = Sources(states);
        int[] open = [.. states.Select(state => state.Edges.Count)];
        int[] longest = new int[states.Count];
        Array.Fill(longest, Endless);
        Queue<int> next = new(Enumerable.Range(0, states.Count).Where(i => open[i] == 0));
        while (next.TryDequeue(out int state))
        {
            longest[state] = states[state].Edges.Select(edge => longest[edge.To] + 1).DefaultIfEmpty(0).Max();
            foreach (int source in sources[state].Where(source => --open[source] == 0))
                next.Enqueue(source);
        }
        return longest;
    }

    private static List<int>[] Sources(IReadOnlyList<Automaton.State> states)
    {
        List<int>[] sources = [.. states.Select(_ => new List<int>())];
        for (int i = 0; i < states.Count; i++)
        {
            foreach (Automaton.Edge edge in states[i].Edges)
                sources[edge.To].Add(i);
        }
        return sources;
    }
}
