using OllamaMax.Grammars.Automata;

namespace OllamaMax.Grammars.Gbnf;

/// <summary>
/// Writes an automaton as rules: what a state leads to is its meaning. The rules are as deterministic as the automaton, so that llama.cpp
/// follows one way at a time, which is what its time for a token grows with.
/// </summary>
internal sealed class AutomatonExpression
{
    /// <summary>A chain of states is written in one line up to here; then a rule of its own begins.</summary>
    private const int LongestLine = 60;

    private readonly Automaton _automaton;
    private readonly Grammar _grammar;
    private readonly string _hint;
    private readonly Func<CharSet, Expression> _encode;
    private readonly Expression _end;
    private readonly int[] _entries;
    private readonly GrammarRule?[] _rules;
    private readonly Queue<int> _open = new();

    private AutomatonExpression(Automaton automaton, Grammar grammar, string hint, Func<CharSet, Expression> encode, Expression end)
    {
        _automaton = automaton;
        _grammar = grammar;
        _hint = hint;
        _encode = encode;
        _end = end;
        _rules = new GrammarRule?[automaton.States.Count];
        _entries = new int[automaton.States.Count];
        for (int i = 0; i < automaton.States.Count; i++)
        {
            foreach (Automaton.Edge edge in automaton.States[i].Edges.Where(edge => edge.To != i))
                _entries[edge.To]++;
        }
    }

    /// <param name="hint">What the names of rules begin with.</param>
    /// <param name="encode">How one of these characters is written.</param>
    /// <param name="end">What follows the text.</param>
    public static Expression Of(Automaton automaton, Grammar grammar, string hint, Func<CharSet, Expression> encode, Expression end)
    {
        if (automaton.IsEmpty)
            return Expression.Never;
        AutomatonExpression writer = new(automaton, grammar, hint, encode, end);
        // Where an edge leads back to the start, the start needs a name.
        Expression start = writer._entries[0] > 0 ? Expression.Of(writer.RuleOf(0)) : writer.Meaning(0, depth: 0);
        while (writer._open.TryDequeue(out int state))
            writer._rules[state]!.Meaning = writer.Meaning(state, depth: 0);
        return start;
    }

    private Expression Meaning(int number, int depth)
    {
        Automaton.State state = _automaton.States[number];
        IEnumerable<Expression> ways = state.Edges.Where(edge => edge.To != number)
            .Select(edge => Expression.All(_encode(edge.On), Target(edge.To, depth + 1)));
        Expression after = Expression.Any(state.Accepts ? ways.Append(_end) : ways);
        return state.Edges.FirstOrDefault(edge => edge.To == number) is { } loop
            ? Expression.All(Expression.Repeated(_encode(loop.On), 0, null), after)
            : after;
    }

    private Expression Target(int number, int depth) =>
        _entries[number] == 1 && number != 0 && depth < LongestLine ? Meaning(number, depth) : Expression.Of(RuleOf(number));

    private GrammarRule RuleOf(int number)
    {
        if (_rules[number] is { } known)
            return known;
        _open.Enqueue(number);
        return _rules[number] = _grammar.Add(_hint);
    }
}
