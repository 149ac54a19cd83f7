using System.Text;

namespace OllamaMax.Edge.OpenAI.Responses;

/// <summary>
/// A reasoning's <c>encrypted_content</c>, by which clients of answers that are not kept send it back. It is the text that stands beside it, in a form that shows whose it is: there
/// is no secret in it.
/// </summary>
internal static class CarriedReasoning
{
    private const string Mark = "ollamamax:";

    public static string Of(string text) => Mark + Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    /// <summary>The text; null where it is another server's, which nobody here can read.</summary>
    public static string? Read(string content)
    {
        if (!content.StartsWith(Mark, StringComparison.Ordinal))
            return null;
        byte[] text = new byte[content.Length];
        return Convert.TryFromBase64Chars(content.AsSpan(Mark.Length), text, out int length) ? Encoding.UTF8.GetString(text, 0, length) : null;
    }
}
