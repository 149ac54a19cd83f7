using OllamaMax.Grammars.Automata;

namespace OllamaMax.Grammars.Patterns;

/// <summary>
/// What <c>\d</c>, <c>\w</c>, <c>\s</c>, their opposites and <c>.</c> stand for. Validators differ there: with and without Unicode, by the
/// letter of ECMA-262 or not. So a class holds the characters on which all agree, and whatever a pattern allows here, it allows anywhere.
/// </summary>
internal static class PatternClasses
{
    /// <summary>
    /// Characters beyond the basic plane are two to a validator whose patterns know UTF-16 only, so none stands for <c>.</c> or for the opposite of something.
    /// </summary>
    private static readonly CharSet s_basic = CharSet.Of([(0, 0xFFFF)]);
    private static readonly CharSet s_ascii = CharSet.Of([(0, 0x7F)]);
    private static readonly CharSet s_word = CharSet.Of([('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')]);
    private static readonly CharSet s_space = CharSet.Of(" \t\n\v\f\r");
    private static readonly CharSet s_perhapsSpace = OfBasic(char.IsWhiteSpace).Union(CharSet.Of("\uFEFF\u180E\u200B"));
    private static readonly CharSet s_perhapsDigit = OfBasic(char.IsDigit);

    public static CharSet Digit { get; } = CharSet.Of([('0', '9')]);

    /// <summary>All but the ends of lines.</summary>
    public static CharSet Dot { get; } = s_basic.Except(CharSet.Of("\n\r\u2028\u2029\u0085"));

    /// <returns>The class of <c>\d</c> and so on; null where the letter names none.</returns>
    public static CharSet? Find(char letter) => letter switch
    {
        'd' => Digit,
        'w' => s_word,
        's' => s_space,
        'D' => s_basic.Except(s_perhapsDigit),
        'W' => s_ascii.Except(s_word),
        'S' => s_basic.Except(s_perhapsSpace),
        _ => null,
    };

    /// <summary>What <c>[^…]</c> with the class inside keeps out: whatever some validator takes for a member.</summary>
    public static CharSet? FindPerhaps(char letter) => letter switch
    {
        'd' => s_perhapsDigit,
        'w' => s_ascii.Complement().Union(s_word),
        's' => s_perhapsSpace,
        'D' => Digit.Complement(),
        'W' => s_word.Complement(),
        'S' => s_space.Complement(),
        _ => null,
    };

    public static CharSet Opposite(CharSet set) => s_basic.Except(set);

    public static bool IsBasic(int character) => character <= 0xFFFF;

    private static CharSet OfBasic(Func<char, bool> isMember) =>
        CharSet.Of(Enumerable.Range(0, 0x10000).Where(code => isMember((char)code)).Select(code => (code, code)));
}
