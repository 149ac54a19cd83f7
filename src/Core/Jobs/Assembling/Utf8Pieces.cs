using System.Text;

namespace OllamaMax.Jobs.Assembling;

/// <summary>
/// UTF-8 that comes in pieces cut anywhere. Invalid bytes become U+FFFD, one for each maximal part of a character
/// (Unicode 15, section 3.9, the practice of the WHATWG), as when all was decoded at once.
/// </summary>
internal sealed class Utf8Pieces
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private char[] _chars = new char[64];

    /// <summary>A character has begun and is not whole.</summary>
    public bool IsInsideCharacter => _decoder.GetCharCount([], flush: true) > 0;

    /// <summary>The characters that are whole now. Valid until the next call.</summary>
    public ReadOnlySpan<char> Append(ReadOnlySpan<byte> bytes) => Decode(bytes, flush: false);

    /// <summary>What is left of a character that never became whole. Valid until the next call.</summary>
    public ReadOnlySpan<char> Complete() => Decode([], flush: true);

    private ReadOnlySpan<char> Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        int most = Encoding.UTF8.GetMaxCharCount(bytes.Length);
        if (_chars.Length < most)
            _chars = new char[most];
        return _chars.AsSpan(0, _decoder.GetChars(bytes, _chars, flush));
    }
}
