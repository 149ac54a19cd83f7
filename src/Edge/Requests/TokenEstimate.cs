using System.Text;
using System.Text.Json;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>
/// About how many tokens a prompt has, of its characters alone, for vocabularies that the edge cannot count with. Made for those of byte pairs: common
/// words are one token, long ones and numbers several, signs one each, and characters of scripts that write without spaces one each.
/// </summary>
internal static class TokenEstimate
{
    private const int LettersPerToken = 6;
    private const int DigitsPerToken = 2;

    /// <summary>What templates write around a message: its role and the tokens of its begin and end.</summary>
    private const int PerMessage = 5;

    /// <summary>What models make of an image differs by its size and theirs: from some hundreds to some thousands.</summary>
    private const int PerImage = 1000;

    public static int Of(InferenceRequest request)
    {
        int tokens = 0;
        foreach (ChatMessage message in request.Messages)
            tokens += PerMessage + Of(message.Content) + Of(message.Thinking ?? "") + message.ToolCalls.Sum(Of) + (message.Images.Count * PerImage);
        return tokens + request.Tools.Sum(Of);
    }

    private static int Of(JsonElement json) => Of(json.GetRawText());

    public static int Of(string text)
    {
        int tokens = 0;
        Kind run = Kind.Space;
        int length = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            Kind kind = KindOf(rune);
            if (kind == run)
            {
                length++;
                continue;
            }
            tokens += TokensOf(run, length);
            (run, length) = (kind, 1);
        }
        return tokens + TokensOf(run, length);
    }

    /// <summary>A single space belongs to the word behind it; more of them, or a line's end, are a token.</summary>
    private static int TokensOf(Kind kind, int length) => kind switch
    {
        Kind.Letter => (length + LettersPerToken - 1) / LettersPerToken,
        Kind.Digit => (length + DigitsPerToken - 1) / DigitsPerToken,
        Kind.Space => length > 1 ? 1 : 0,
        Kind.Line => 1,
        Kind.Sign => (length + 1) / 2,
        _ => length,
    };

    private static Kind KindOf(Rune rune) => rune.Value switch
    {
        '\n' or '\r' => Kind.Line,
        _ when Rune.IsWhiteSpace(rune) => Kind.Space,
        _ when Rune.IsDigit(rune) => Kind.Digit,
        // From Hangul's and Kana's blocks on: about a token for each.
        >= 0x1100 => Kind.Wide,
        _ when Rune.IsLetter(rune) => Kind.Letter,
        _ => Kind.Sign,
    };

    private enum Kind
    {
        Letter,
        Digit,
        Space,
        Line,
        Sign,
        Wide,
    }
}
