namespace OllamaMax.Inference.Native.Grammars;

/// <summary>How far an answer has followed its grammar, to the byte: tokens may end inside a character.</summary>
/// <param name="Level">After the last whole character.</param>
/// <param name="Value">Bits of the character that has begun.</param>
/// <param name="Missing">Bytes it still lacks; 0: none has begun.</param>
/// <param name="Least">The smallest code point of its length: a longer form than needed is no UTF-8.</param>
internal readonly record struct GrammarPosition(GrammarLevel Level, int Value, int Missing, int Least)
{
    public bool CanEnd => Missing == 0 && Level.CanEnd;

    /// <returns>Whether the answer can go on after the byte.</returns>
    /// <exception cref="GrammarException">The grammar is too ambiguous.</exception>
    public bool TryStep(GrammarMatcher matcher, byte next, out GrammarPosition position)
    {
        position = default;
        if (Missing == 0 && next < 0x80)
            return TryCharacter(matcher, next, out position);
        GrammarPosition begun = Missing > 0
            ? this with { Value = (Value << 6) | (next & 0x3F), Missing = Missing - 1 }
            : next switch
            {
                >= 0xC2 and <= 0xDF => new GrammarPosition(Level, next & 0x1F, 1, 0x80),
                >= 0xE0 and <= 0xEF => new GrammarPosition(Level, next & 0x0F, 2, 0x800),
                >= 0xF0 and <= 0xF4 => new GrammarPosition(Level, next & 0x07, 3, 0x10000),
                _ => default,
            };
        if (begun.Level is null || (Missing > 0 && (next & 0xC0) != 0x80))
            return false;
        return begun.Missing == 0 ? begun.TryCharacter(matcher, begun.Value, out position) : begun.TryPart(matcher, out position);
    }

    private bool TryCharacter(GrammarMatcher matcher, int codePoint, out GrammarPosition position)
    {
        bool isShortest = codePoint >= Least && codePoint <= AlphabetBuilder.LastCodePoint;
        position = new GrammarPosition(isShortest ? matcher.Next(Level, codePoint) : matcher.Dead, 0, 0, 0);
        return position.Level != matcher.Dead;
    }

    private bool TryPart(GrammarMatcher matcher, out GrammarPosition position)
    {
        int low = Value << (6 * Missing), high = low | ((1 << (6 * Missing)) - 1);
        position = this;
        low = Math.Max(low, Least);
        high = Math.Min(high, AlphabetBuilder.LastCodePoint);
        return low <= high && matcher.Any(Level, low, high);
    }
}
