using OllamaMax.Grammars.Automata;

namespace OllamaMax.Grammars.Patterns;

/// <summary>A regular expression, read.</summary>
internal abstract record PatternNode
{
    public static PatternNode Empty { get; } = new Sequence([]);

    public sealed record Characters(CharSet Set) : PatternNode;

    public sealed record Sequence(IReadOnlyList<PatternNode> Parts) : PatternNode;

    public sealed record Choice(IReadOnlyList<PatternNode> Branches) : PatternNode;

    /// <param name="Most">Null: any number.</param>
    public sealed record Repeat(PatternNode Part, int Least, int? Most) : PatternNode;

    /// <summary><c>^</c></summary>
    public sealed record Start : PatternNode;

    /// <summary><c>$</c></summary>
    public sealed record End : PatternNode;
}
