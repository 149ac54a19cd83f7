using OllamaMax.Grammars.Automata;

namespace OllamaMax.Grammars.Patterns;

/// <summary>Makes a pattern deterministic: a state is the set of places that the search may have reached.</summary>
internal static class PatternAutomaton
{
    /// <summary>The texts in which the pattern is found, as ECMA-262 searches: anywhere, unless <c>^</c> and <c>$</c> say where.</summary>
    /// <exception cref="PatternException">The pattern cannot be read or is too large.</exception>
    /// <exception cref="AutomatonTooLargeException">Made deterministic it is too large.</exception>
    public static Automaton Of(string pattern)
    {
        PatternGraph graph = new(PatternReader.Read(pattern));
        Places start = Reach(graph, [graph.Search], isStart: true);
        return AutomatonBuilder.Build(
            start,
            at => Edges(graph, at),
            at => Closure(graph, at.Numbers, at.IsStart, atEnd: true).Contains(graph.Found));
    }

    private static IEnumerable<(CharSet, Places)> Edges(PatternGraph graph, Places at)
    {
        PatternGraph.Node[] nodes = [.. at.Numbers.Select(number => graph[number]).Where(node => node.On is not null)];
        int[] borders = [.. nodes.SelectMany(node => node.On!.Ranges).SelectMany(range => (int[])[range.From, range.To + 1]).Distinct().Order()];
        return from i in Enumerable.Range(0, Math.Max(0, borders.Length - 1))
               let next = Next(nodes, borders[i])
               where next.Length > 0
               let set = CharSet.Of([(borders[i], borders[i + 1] - 1)])
               group set.Ranges by Reach(graph, next, isStart: false) into edge
               select (CharSet.Of(edge.SelectMany(ranges => ranges)), edge.Key);
    }

    private static int[] Next(PatternGraph.Node[] nodes, int character) =>
        [.. nodes.Where(node => node.On!.Contains(character)).Select(node => node.Next[0]).Distinct().Order()];

    /// <summary>Once the pattern is found, it does not matter where else it might be.</summary>
    private static Places Reach(PatternGraph graph, int[] from, bool isStart)
    {
        int[] reached = Closure(graph, from, isStart, atEnd: false);
        graph.Count(reached.Length);
        return reached.Contains(graph.Found) ? new([graph.Found], IsStart: false) : new(reached, isStart);
    }

    private static int[] Closure(PatternGraph graph, IEnumerable<int> from, bool atStart, bool atEnd)
    {
        SortedSet<int> reached = [.. from];
        Stack<int> open = new(reached);
        while (open.TryPop(out int number))
        {
            PatternGraph.Node node = graph[number];
            bool passes = node.On is null && node.Condition switch
            {
                PatternGraph.Condition.AtStart => atStart,
                PatternGraph.Condition.AtEnd => atEnd,
                _ => true,
            };
            foreach (int next in (passes ? node.Next : []).Concat(node.Also is { } also ? [also] : []))
            {
                if (reached.Add(next))
                    open.Push(next);
            }
        }
        return [.. reached];
    }

    private readonly record struct Places(int[] Numbers, bool IsStart)
    {
        public bool Equals(Places other) => IsStart == other.IsStart && Numbers.AsSpan().SequenceEqual(other.Numbers);

        public override int GetHashCode()
        {
            HashCode hash = default;
            hash.Add(IsStart);
            foreach (int number in Numbers)
                hash.Add(number);
            return hash.ToHashCode();
        }
    }
}
