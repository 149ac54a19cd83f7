namespace OllamaMax.TestKit.Grammars;

/// <summary>A part of a grammar in llama.cpp's language.</summary>
public abstract record GbnfNode
{
    public sealed record Characters(IReadOnlyList<(int From, int To)> Ranges) : GbnfNode
    {
        public bool Contains(int character) => Ranges.Any(range => character >= range.From && character <= range.To);
    }

    public sealed record Reference(string Name) : GbnfNode;

    public sealed record Sequence(IReadOnlyList<GbnfNode> Parts) : GbnfNode;

    public sealed record Choice(IReadOnlyList<GbnfNode> Branches) : GbnfNode;

    /// <param name="Most">Null: any number.</param>
    public sealed record Repeat(GbnfNode Part, int Least, int? Most) : GbnfNode;
}
