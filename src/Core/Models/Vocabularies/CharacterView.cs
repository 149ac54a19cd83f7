using System.Globalization;
using System.Text;

namespace OllamaMax.Models.Vocabularies;

/// <summary>A text with one <see langword="char"/> for each of its characters, those beyond U+FFFF too.</summary>
/// <param name="Categories">ASCII as it is, for any other character one that stands for its category.</param>
/// <param name="Characters">As they are; any white space beyond ASCII is a vertical tab, what is beyond U+FFFF is U+FFFF: no expression names one of these.</param>
/// <param name="Starts">Where each character begins in the text, and the text's length behind the last one.</param>
internal sealed record CharacterView(char[] Categories, char[] Characters, int[] Starts)
{
    public const char Number = '\u00D1';
    public const char Letter = '\u00D2';
    public const char Punctuation = '\u00D3';
    public const char Mark = '\u00D4';
    public const char Symbol = '\u00D5';
    private const char Other = '\u00D0';

    /// <summary>For all white space beyond ASCII: expressions know that of ASCII only.</summary>
    private const char Space = '\v';

    public static CharacterView Of(ReadOnlySpan<char> text)
    {
        char[] categories = new char[text.Length];
        char[] characters = new char[text.Length];
        int[] starts = new int[text.Length + 1];
        int count = 0;
        int start = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            categories[count] = CategoryOf(rune);
            characters[count] = rune.IsAscii ? (char)rune.Value : Rune.IsWhiteSpace(rune) ? Space : rune.IsBmp ? (char)rune.Value : '\uFFFF';
            starts[count++] = start;
            start += rune.Utf16SequenceLength;
        }
        starts[count] = start;
        return new(categories[..count], characters[..count], starts);
    }

    private static char CategoryOf(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        _ when rune.IsAscii => (char)rune.Value,
        _ when Rune.IsWhiteSpace(rune) => Space,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Number,
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
            or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => Letter,
        UnicodeCategory.ConnectorPunctuation or UnicodeCategory.DashPunctuation or UnicodeCategory.OpenPunctuation or UnicodeCategory.ClosePunctuation
            or UnicodeCategory.InitialQuotePunctuation or UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.OtherPunctuation => Punctuation,
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => Mark,
        UnicodeCategory.MathSymbol or UnicodeCategory.CurrencySymbol or UnicodeCategory.ModifierSymbol or UnicodeCategory.OtherSymbol => Symbol,
        _ => Other,
    };
}
