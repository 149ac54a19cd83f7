using System.Diagnostics.CodeAnalysis;

namespace OllamaMax.Security;

/// <summary>A key of the edges' own for what lies in storage; no worker has it.</summary>
public sealed class ContentKey
{
    private const int LongestId = 32;

    private ContentKey(string id, byte[] bytes) => (Id, Bytes) = (id, bytes);

    /// <summary>Stands beside what is sealed with it, in the clear.</summary>
    public string Id { get; }

    internal byte[] Bytes { get; }

    /// <param name="text"><c>id:key</c>: up to 32 lower-case letters, digits and dashes, and 32 bytes in base64.</param>
    /// <param name="key">Null where it is none.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out ContentKey? key)
    {
        key = null;
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        byte[] bytes = new byte[SealedBytes.KeyBytes];
        if (colon is < 1 or > LongestId
            || !text[..colon].All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-')
            || !Convert.TryFromBase64String(text[(colon + 1)..], bytes, out int written)
            || written != bytes.Length)
            return false;
        key = new(text[..colon], bytes);
        return true;
    }

    public override string ToString() => Id;
}
