namespace OllamaMax.Grammars.Gbnf;

/// <summary>A name and what it stands for. Its meaning may come after others have begun to refer to it, so that rules may recurse.</summary>
internal sealed class GrammarRule(string name)
{
    private Expression? _meaning;

    /// <summary>Letters, digits and hyphens; unique in its grammar.</summary>
    public string Name => name;

    public Expression Meaning
    {
        get => _meaning ?? throw new InvalidOperationException($"The rule {name} has no meaning yet.");
        set => _meaning = value;
    }

    public override string ToString() => name;
}
