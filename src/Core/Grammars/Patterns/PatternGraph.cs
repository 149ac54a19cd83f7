using OllamaMax.Grammars.Automata;

namespace OllamaMax.Grammars.Patterns;

/// <summary>
/// A pattern as states that may be left in several ways at once (Thompson's construction, from the end to the beginning).
/// A text matches where the pattern is found anywhere in it.
/// </summary>
internal sealed class PatternGraph
{
    private readonly List<Node> _nodes = [];
    private int _work;

    /// <exception cref="PatternException">The pattern needs too many states.</exception>
    public PatternGraph(PatternNode pattern)
    {
        Found = Add(new Node());
        _nodes[Found] = new Node { On = CharSet.All, Next = [Found] };
        int begin = Add(pattern, Found);
        int search = Add(new Node());
        _nodes[search] = new Node { On = CharSet.All, Next = [search], Also = begin };
        Search = search;
    }

    /// <summary>Where the search begins.</summary>
    public int Search { get; }

    /// <summary>Where the pattern has been found.</summary>
    public int Found { get; }

    public Node this[int number] => _nodes[number];

    /// <summary>Notes that so many states were looked at.</summary>
    /// <exception cref="PatternException">That makes too many.</exception>
    public void Count(int states)
    {
        _work += states;
        if (_work > GrammarLimits.PatternWork)
            throw new PatternException("is too large: too much of it may be reached at once");
    }

    private int Add(PatternNode pattern, int next) => pattern switch
    {
        PatternNode.Characters characters => Add(new Node { On = characters.Set, Next = [next] }),
        PatternNode.Sequence sequence => sequence.Parts.Reverse().Aggregate(next, (after, part) => Add(part, after)),
        PatternNode.Choice choice => Add(new Node { Next = [.. choice.Branches.Select(branch => Add(branch, next))] }),
        PatternNode.Repeat repeat => AddRepeat(repeat, next),
        PatternNode.Start => Add(new Node { Condition = Condition.AtStart, Next = [next] }),
        PatternNode.End => Add(new Node { Condition = Condition.AtEnd, Next = [next] }),
        _ => throw new NotSupportedException(pattern.GetType().Name),
    };

    private int AddRepeat(PatternNode.Repeat repeat, int next)
    {
        int at = next;
        if (repeat.Most is { } most)
        {
            for (int i = repeat.Least; i < most; i++)
                at = Add(new Node { Next = [Add(repeat.Part, at), next] });
        }
        else
        {
            at = Add(new Node());
            _nodes[at] = new Node { Next = [Add(repeat.Part, at), next] };
        }
        for (int i = 0; i < repeat.Least; i++)
            at = Add(repeat.Part, at);
        return at;
    }

    private int Add(Node node)
    {
        if (_nodes.Count == GrammarLimits.PatternStates)
            throw new PatternException("is too large: repetitions within repetitions");
        _nodes.Add(node);
        return _nodes.Count - 1;
    }

    public enum Condition
    {
        None,
        AtStart,
        AtEnd,
    }

    /// <summary>With <see cref="On"/>: left by one of its characters. Without: left for free where the condition holds.</summary>
    public sealed class Node
    {
        public CharSet? On { get; init; }

        public Condition Condition { get; init; }

        public IReadOnlyList<int> Next { get; init; } = [];

        /// <summary>Beside it, another node is reached for free.</summary>
        public int? Also { get; init; }
    }
}
