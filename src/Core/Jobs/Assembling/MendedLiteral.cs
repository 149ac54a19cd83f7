using System.Text;

namespace OllamaMax.Jobs.Assembling;

/// <summary>
/// What a <see cref="LooseLiteral"/> may have been meant to be of which ends are missing: Gemma leaves out the quote behind a text or the last brackets, or writes a
/// quote behind a text that has others.
/// </summary>
internal static class MendedLiteral
{
    public static IEnumerable<string> Candidates(string text, string quote)
    {
        text = text.TrimEnd();
        int last = text.LastIndexOf(quote, StringComparison.Ordinal);
        if (text.Split(quote).Length % 2 == 1)
        {
            yield return text + Missing(text, quote);
            yield break;
        }
        string missing = Missing(text[..last], quote);
        yield return WithoutEnd(text, missing, last + quote.Length) + quote + missing;
        string without = text.Remove(last, quote.Length);
        yield return without + Missing(without, quote);
    }

    /// <summary>Without the brackets at the end that close others than the text's own.</summary>
    private static string WithoutEnd(string text, string closing, int start)
    {
        int length = text.Length;
        for (int i = closing.Length - 1; i >= 0 && length > start && text[length - 1] == closing[i]; i--)
            length--;
        return text[..length];
    }

    /// <summary>The brackets that close those which are open, outside of texts.</summary>
    private static string Missing(string text, string quote)
    {
        StringBuilder open = new();
        string[] parts = text.Split(quote);
        for (int i = 0; i < parts.Length; i += 2)
        {
            foreach (char c in parts[i])
            {
                if (c is '{' or '[')
                    open.Insert(0, c == '{' ? '}' : ']');
                else if (c is '}' or ']' && open.Length > 0)
                    open.Remove(0, 1);
            }
        }
        return open.ToString();
    }
}
