using System.Text.Encodings.Web;

namespace OllamaMax.Edge.Http;

/// <summary>
/// Escapes in JSON what must be escaped and nothing else. The framework's most relaxed encoder still writes characters above U+FFFF,
/// emoji among them, as <c>\uD83D\uDE00</c>: legal, but three times as long and unreadable in a terminal.
/// </summary>
internal sealed class PlainTextEncoder : JavaScriptEncoder
{
    private const int FirstSupplementary = 0x10000;

    private static readonly JavaScriptEncoder Relaxed = UnsafeRelaxedJsonEscaping;

    public override int MaxOutputCharactersPerInputCharacter => Relaxed.MaxOutputCharactersPerInputCharacter;

    public override bool WillEncode(int unicodeScalar) => unicodeScalar < FirstSupplementary && Relaxed.WillEncode(unicodeScalar);

    public override unsafe int FindFirstCharacterToEncode(char* text, int textLength)
    {
        for (int from = 0; ;)
        {
            int found = Relaxed.FindFirstCharacterToEncode(text + from, textLength - from);
            if (found < 0)
                return -1;
            found += from;
            if (found + 1 >= textLength || !char.IsSurrogatePair(text[found], text[found + 1]))
                return found;
            from = found + 2;
        }
    }

    public override unsafe bool TryEncodeUnicodeScalar(int unicodeScalar, char* buffer, int bufferLength, out int numberOfCharactersWritten) =>
        Relaxed.TryEncodeUnicodeScalar(unicodeScalar, buffer, bufferLength, out numberOfCharactersWritten);
}
