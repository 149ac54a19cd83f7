namespace OllamaMax.Models.Vocabularies;

/// <summary>Which neighbours a vocabulary merges, and what becomes of those that are left.</summary>
internal interface IMergeRule
{
    /// <param name="pair">Both symbols.</param>
    /// <param name="leftLength">Characters of the first.</param>
    /// <param name="cost">What costs less is merged first.</param>
    /// <returns>False where the two stay apart.</returns>
    bool TryMerge(ReadOnlySpan<char> pair, int leftLength, out double cost);

    /// <summary>Tokens of a symbol that nothing was merged with any more.</summary>
    int TokensOf(ReadOnlySpan<char> symbol);
}
