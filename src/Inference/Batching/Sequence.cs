using System.Runtime.InteropServices;

namespace OllamaMax.Inference.Batching;

/// <summary>One sequence of the native context: which tokens stand in its memory.</summary>
internal sealed class Sequence(int id)
{
    private readonly List<int> _tokens = [];

    public int Id => id;

    /// <summary>Whose tokens they are: they serve prompts of the same partition alone.</summary>
    public string Partition { get; set; } = "";

    /// <summary>Of one that is kept: the tokens that the table had counted when it was used last.</summary>
    public long UnusedSince { get; set; }

    /// <summary>Of one that is kept: nothing is known that keeps it from being saved.</summary>
    public bool MayLeave { get; set; }

    /// <summary>Tokens in memory; the next one goes to this position.</summary>
    public int Length => _tokens.Count;

    public ReadOnlySpan<int> Tokens => CollectionsMarshal.AsSpan(_tokens);

    public void Append(ReadOnlySpan<int> tokens) => _tokens.AddRange(tokens);

    public void Truncate(int length) => _tokens.RemoveRange(length, _tokens.Count - length);

    /// <summary>How many tokens it has in common with others, from the begin.</summary>
    public int Common(ReadOnlySpan<int> tokens) => MemoryExtensions.CommonPrefixLength(Tokens, tokens);
}
