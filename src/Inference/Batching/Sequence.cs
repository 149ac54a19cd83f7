namespace OllamaMax.Inference.Batching;

/// <summary>One sequence of the native context: which tokens stand in its memory.</summary>
internal sealed class Sequence(int id)
{
    private readonly List<int> _tokens = [];

    public int Id => id;

    /// <summary>Tokens in memory; the next one goes to this position.</summary>
    public int Length => _tokens.Count;

    public void Append(ReadOnlySpan<int> tokens) => _tokens.AddRange(tokens);

    public void Clear() => _tokens.Clear();
}
