using OllamaMax.Grammars.Automata;

namespace OllamaMax.Grammars.Gbnf;

/// <summary>What stands right of <c>::=</c>. Made by the methods, which keep it simple: no empty parts, no nesting that means nothing.</summary>
internal abstract record Expression
{
    /// <summary>llama.cpp takes no repetition from 2,000 on.</summary>
    private const int LongestRun = 1_000;

    /// <summary>The empty text.</summary>
    public static Expression Empty { get; } = new Sequence([]);

    /// <summary>No text at all.</summary>
    public static Expression Never { get; } = new Choice([]);

    public static Expression Text(string text) => text.Length == 0 ? Empty : new Literal(text);

    public static Expression Of(CharSet set) => set.IsEmpty ? Never : new Characters(set);

    public static Expression Of(GrammarRule rule) => new Reference(rule);

    public static Expression All(params IEnumerable<Expression> parts)
    {
        List<Expression> flat = [];
        foreach (Expression part in parts.SelectMany(part => part is Sequence inner ? inner.Parts : [part]))
        {
            if (IsNever(part))
                return Never;
            if (flat.Count > 0 && Joined(flat[^1], part) is { } joined)
                flat[^1] = joined;
            else
                flat.Add(part);
        }
        return flat.Count switch
        {
            0 => Empty,
            1 => flat[0],
            _ => new Sequence(flat),
        };
    }

    public static Expression Any(params IEnumerable<Expression> branches)
    {
        List<Expression> flat = [.. branches.SelectMany(branch => branch is Choice inner ? inner.Branches : [branch])];
        return flat.Count == 1 ? flat[0] : flat.Count == 0 ? Never : new Choice(flat);
    }

    public static Expression Optional(Expression part) => IsNever(part) || part is Sequence { Parts.Count: 0 } ? Empty : new Repeat(part, 0, 1);

    public static Expression Repeated(Expression part, int least, int? most) =>
        most == 0 ? Empty : IsNever(part) ? (least == 0 ? Empty : Never) : (least, most) == (1, 1) ? part : new Repeat(part, least, most);

    public static IEnumerable<GrammarRule> References(Expression expression) => expression switch
    {
        Reference reference => [reference.Rule],
        Sequence sequence => sequence.Parts.SelectMany(References),
        Choice choice => choice.Branches.SelectMany(References),
        Repeat repeat => References(repeat.Part),
        _ => [],
    };

    /// <summary>Two texts in a row are one; the same characters in a row are so many of them.</summary>
    private static Expression? Joined(Expression first, Expression second)
    {
        if (first is Literal start && second is Literal end)
            return new Literal(start.Value + end.Value);
        if (Times(first) is not { } some || Times(second) is not { } more || !some.Set.Equals(more.Set))
            return null;
        int times = some.Count + more.Count;
        return times > LongestRun ? null : new Repeat(new Characters(some.Set), times, times);
    }

    private static (CharSet Set, int Count)? Times(Expression expression) => expression switch
    {
        Characters characters => (characters.Set, 1),
        Repeat { Part: Characters characters } repeat when repeat.Least == repeat.Most => (characters.Set, repeat.Least),
        _ => null,
    };

    public static bool IsNever(Expression expression) => expression is Choice { Branches.Count: 0 };

    public sealed record Literal(string Value) : Expression;

    public sealed record Characters(CharSet Set) : Expression;

    public sealed record Reference(GrammarRule Rule) : Expression;

    public sealed record Sequence(IReadOnlyList<Expression> Parts) : Expression;

    public sealed record Choice(IReadOnlyList<Expression> Branches) : Expression;

    /// <param name="Most">Null: any number.</param>
    public sealed record Repeat(Expression Part, int Least, int? Most) : Expression;
}
