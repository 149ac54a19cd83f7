using System.Text;

namespace OllamaMax.Models.Vocabularies;

/// <summary>
/// Bytes written as characters that can be seen, as vocabularies of byte pairs have them since GPT-2: printable bytes stand for themselves, the others, in their
/// order, for the characters from U+0100 on.
/// </summary>
internal static class ByteText
{
    private static readonly char[] s_characters = Characters();

    /// <summary>The text's UTF-8, a character for each byte.</summary>
    public static string Write(ReadOnlySpan<char> text)
    {
        byte[] utf8 = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, utf8);
        return string.Create(utf8.Length, utf8, static (written, bytes) =>
        {
            for (int i = 0; i < bytes.Length; i++)
                written[i] = s_characters[bytes[i]];
        });
    }

    private static char[] Characters()
    {
        char[] characters = new char[256];
        char next = (char)256;
        for (int value = 0; value < characters.Length; value++)
            characters[value] = value is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xAC) or >= 0xAE ? (char)value : next++;
        return characters;
    }
}
