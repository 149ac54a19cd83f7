namespace OllamaMax.Jobs.Assembling;

/// <summary>Finds a word in characters that come one by one.</summary>
internal static class TextMatch
{
    /// <summary>How much of the word the text ends with, once <paramref name="c"/> is appended.</summary>
    /// <param name="word">What is looked for.</param>
    /// <param name="matched">How much of it the text ended with before; less than all.</param>
    /// <param name="c">The next character.</param>
    public static int Advance(string word, int matched, char c)
    {
        // The text's end is word[..matched] and c: the longest begin of the word that is an end of that. Words are tags, so short that trying is fine.
        for (int length = matched + 1; length > 0; length--)
        {
            if (word[length - 1] == c && word.AsSpan(0, length - 1).SequenceEqual(word.AsSpan(matched - length + 1, length - 1)))
                return length;
        }
        return 0;
    }
}
