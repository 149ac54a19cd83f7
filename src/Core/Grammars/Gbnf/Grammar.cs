namespace OllamaMax.Grammars.Gbnf;

/// <summary>The rules of one grammar.</summary>
internal sealed class Grammar
{
    /// <summary>
    /// llama.cpp writes a repetition out, a rule for every time; from 2,000 it refuses (MAX_REPETITION_THRESHOLD in llama-grammar.cpp).
    /// So a larger count is made of blocks, and a block of blocks: few rules, however large the count.
    /// </summary>
    private const int BlockSize = 100;

    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly List<GrammarRule> _rules = [];

    public IReadOnlyList<GrammarRule> Rules => _rules;

    /// <param name="hint">A name to begin with; what is no letter or digit is replaced.</param>
    public GrammarRule Add(string hint)
    {
        string name = Clean(hint);
        string unique = name;
        for (int i = 2; !_names.Add(unique); i++)
            unique = $"{name}-{i}";
        GrammarRule rule = new(unique);
        _rules.Add(rule);
        return rule;
    }

    public GrammarRule Add(string hint, Expression meaning)
    {
        GrammarRule rule = Add(hint);
        rule.Meaning = meaning;
        return rule;
    }

    /// <summary>A part so many times, whatever the numbers are.</summary>
    /// <param name="part">It matches no empty text.</param>
    /// <param name="most">Null: any number.</param>
    public Expression Repeat(Expression part, int least, int? most)
    {
        if (least <= 1 && most is null or 1 || Expression.IsNever(part))
            return Expression.Repeated(part, least, most);
        Expression small = part is Expression.Characters ? part : Expression.Of(Add("item", part));
        if (most is null)
            return Expression.All(Exactly(small, least), Expression.Repeated(small, 0, null));
        return Expression.All(Exactly(small, least), UpTo(small, most.Value - least));
    }

    private Expression Exactly(Expression part, int count)
    {
        if (count <= BlockSize)
            return Expression.Repeated(part, count, count);
        Expression block = Expression.Of(Add("block", Expression.Repeated(part, BlockSize, BlockSize)));
        return Expression.All(Exactly(block, count / BlockSize), Exactly(part, count % BlockSize));
    }

    /// <summary>Full blocks first, then what is left of one: every count in one way only.</summary>
    private Expression UpTo(Expression part, int count)
    {
        if (count <= BlockSize)
            return Expression.Repeated(part, 0, count);
        GrammarRule block = Add("block", Expression.Repeated(part, BlockSize, BlockSize));
        Expression partBlock = Expression.Repeated(part, 0, BlockSize - 1);
        int blocks = count / BlockSize;
        Expression rest = Expression.Repeated(part, 0, count % BlockSize);
        // Less than all blocks and a part of one, or all blocks and the rest.
        return Expression.Any(
            Expression.All(UpTo(Expression.Of(block), blocks - 1), partBlock),
            Expression.All(Exactly(Expression.Of(block), blocks), rest));
    }

    private static string Clean(string hint)
    {
        string name = new([.. hint.Take(40).Select(character => char.IsAsciiLetterOrDigit(character) ? character : '-')]);
        name = name.Trim('-');
        return name.Length == 0 ? "value" : name;
    }
}
