namespace OllamaMax.Inference.Native.Grammars;

/// <summary>What a rule is made of, as it is written.</summary>
/// <param name="Depth">Nodes from here to the deepest one below: what walks the tree recurses as deep.</param>
internal abstract record GrammarNode(int Depth)
{
    /// <param name="Set">A set of the alphabet; see <see cref="AlphabetBuilder"/>.</param>
    internal sealed record Chars(int Set) : GrammarNode(1);

    /// <param name="Rule">Number of a rule, defined or not.</param>
    internal sealed record Reference(int Rule) : GrammarNode(1);

    internal sealed record Sequence(IReadOnlyList<GrammarNode> Items) : GrammarNode(1 + Items.Select(static item => item.Depth).DefaultIfEmpty().Max());

    internal sealed record Choice(IReadOnlyList<GrammarNode> Items) : GrammarNode(1 + Items.Select(static item => item.Depth).DefaultIfEmpty().Max());

    /// <param name="Most">Null: any number.</param>
    internal sealed record Repeat(GrammarNode Item, int Least, int? Most) : GrammarNode(1 + Item.Depth);
}
