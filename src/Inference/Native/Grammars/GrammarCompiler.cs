namespace OllamaMax.Inference.Native.Grammars;

/// <summary>Makes a network of rules (Thompson 1968), from the end of each rule to its begin. Repetitions are written out.</summary>
internal sealed class GrammarCompiler
{
    private const int MaxStates = 200_000;

    // Nodes of the tree, each as often as it is written out: empty ones make no state, yet a billion of them take their time.
    private const int MaxVisits = 1_000_000;

    private readonly List<GrammarState> _states = [new(GrammarStateKind.End, 0, 0)];
    private int _visits;

    /// <exception cref="GrammarException">It becomes too large.</exception>
    public Grammar Compile(IReadOnlyList<GrammarNode> rules, int root, Alphabet alphabet)
    {
        int[] starts = [.. rules.Select(rule => Compile(rule, Grammar.End))];
        return new Grammar(alphabet, [.. _states], starts, root);
    }

    /// <returns>The state where <paramref name="node"/> begins, if <paramref name="next"/> follows it.</returns>
    private int Compile(GrammarNode node, int next)
    {
        if (++_visits > MaxVisits)
            throw TooLarge();
        return node switch
        {
            GrammarNode.Chars chars => Add(GrammarStateKind.Chars, chars.Set, next),
            GrammarNode.Reference reference => Add(GrammarStateKind.Call, reference.Rule, next),
            GrammarNode.Sequence sequence => CompileSequence(sequence, next),
            GrammarNode.Choice choice => CompileChoice(choice, next),
            GrammarNode.Repeat repeat => CompileRepeat(repeat, next),
            _ => throw new ArgumentOutOfRangeException(nameof(node), node, null),
        };
    }

    private int CompileSequence(GrammarNode.Sequence sequence, int next)
    {
        for (int i = sequence.Items.Count - 1; i >= 0; i--)
            next = Compile(sequence.Items[i], next);
        return next;
    }

    private int CompileChoice(GrammarNode.Choice choice, int next)
    {
        int start = Compile(choice.Items[^1], next);
        for (int i = choice.Items.Count - 2; i >= 0; i--)
            start = Add(GrammarStateKind.Split, Compile(choice.Items[i], next), start);
        return start;
    }

    private int CompileRepeat(GrammarNode.Repeat repeat, int next)
    {
        int start = next;
        if (repeat.Most is { } most)
        {
            for (int i = repeat.Least; i < most; i++)
                start = Add(GrammarStateKind.Split, Compile(repeat.Item, start), next);
        }
        else
        {
            start = Add(GrammarStateKind.Split, next, next);
            _states[start] = new GrammarState(GrammarStateKind.Split, Compile(repeat.Item, start), next);
        }
        for (int i = 0; i < repeat.Least; i++)
            start = Compile(repeat.Item, start);
        return start;
    }

    private int Add(GrammarStateKind kind, int first, int next)
    {
        if (_states.Count == MaxStates)
            throw TooLarge();
        _states.Add(new GrammarState(kind, first, next));
        return _states.Count - 1;
    }

    private static GrammarException TooLarge() => new("is too large with its repetitions written out");
}
