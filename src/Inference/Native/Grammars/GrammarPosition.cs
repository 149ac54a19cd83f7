namespace OllamaMax.Inference.Native.Grammars;

/// <summary>How far an answer has followed its grammar, to the byte: tokens may end inside a character. The default is: not at all.</summary>
/// <param name="Level">After the last whole character; null where the grammar has been left.</param>
/// <param name="Value">Bits of the character that has begun.</param>
/// <param name="Missing">Bytes it still lacks; 0: none has begun.</param>
/// <param name="Least">The smallest code point of its length: a longer form than needed is no UTF-8.</param>
internal readonly record struct GrammarPosition(GrammarLevel? Level, int Value, int Missing, int Least)
{
    /// <summary>The answer can go on, or end.</summary>
    public bool Follows => Level is not null;

    public bool CanEnd => Missing == 0 && Level is { CanEnd: true };

    /// <summary>Takes a byte.</summary>
    /// <exception cref="GrammarException">The grammar is too ambiguous.</exception>
    public GrammarPosition Step(GrammarMatcher matcher, byte next)
    {
        if (Missing > 0)
            return (next & 0xC0) == 0x80 ? GoOn(matcher, next & 0x3F) : default;
        return next switch
        {
            < 0x80 => Take(matcher, next),
            >= 0xC2 and <= 0xDF => Begin(matcher, next & 0x1F, 1, 0x80),
            >= 0xE0 and <= 0xEF => Begin(matcher, next & 0x0F, 2, 0x800),
            >= 0xF0 and <= 0xF4 => Begin(matcher, next & 0x07, 3, 0x10000),
            _ => default,
        };
    }

    private GrammarPosition Begin(GrammarMatcher matcher, int value, int missing, int least) =>
        new GrammarPosition(Level, value, missing, least).IfPossible(matcher);

    private GrammarPosition GoOn(GrammarMatcher matcher, int bits)
    {
        int value = (Value << 6) | bits;
        return Missing == 1 ? Take(matcher, value) : (this with { Value = value, Missing = Missing - 1 }).IfPossible(matcher);
    }

    private GrammarPosition Take(GrammarMatcher matcher, int codePoint)
    {
        if (Level is null || codePoint < Least || codePoint > AlphabetBuilder.LastCodePoint)
            return default;
        GrammarLevel level = matcher.Next(Level, codePoint);
        return level == matcher.Dead ? default : new GrammarPosition(level, 0, 0, 0);
    }

    private GrammarPosition IfPossible(GrammarMatcher matcher)
    {
        int low = Value << (6 * Missing), high = low | ((1 << (6 * Missing)) - 1);
        low = Math.Max(low, Least);
        high = Math.Min(high, AlphabetBuilder.LastCodePoint);
        return Level is not null && low <= high && matcher.Any(Level, low, high) ? this : default;
    }
}
