namespace OllamaMax.Models.Vocabularies;

/// <summary>The character that SentencePiece writes for a space.</summary>
internal static class SpaceMark
{
    public const char Mark = '\u2581';

    /// <summary>Length of the first part of a text that is cut before every run of spaces.</summary>
    public static int FirstPart(ReadOnlySpan<char> text)
    {
        for (int i = 1; i < text.Length; i++)
        {
            if (text[i] == Mark && text[i - 1] != Mark)
                return i;
        }
        return text.Length;
    }

    /// <summary>Whether a space stands behind something else: merges across such places forbid to cut there.</summary>
    public static bool IsInside(ReadOnlySpan<char> text) => FirstPart(text) < text.Length;
}
