namespace OllamaMax.Models.Vocabularies;

/// <summary>A kind of vocabulary, at text without special tokens.</summary>
internal interface ITextTokens
{
    /// <param name="text">Not empty.</param>
    /// <param name="followsSpecial">Whether it begins the prompt, or stands behind a special token.</param>
    int Count(ReadOnlySpan<char> text, bool followsSpecial);
}
