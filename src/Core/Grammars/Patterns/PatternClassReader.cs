using OllamaMax.Grammars.Automata;

namespace OllamaMax.Grammars.Patterns;

/// <summary>Reads what stands between <c>[</c> and <c>]</c>.</summary>
internal sealed class PatternClassReader(PatternReader pattern)
{
    public CharSet Read()
    {
        bool isOpposite = pattern.Take('^');
        CharSet set = CharSet.None;
        while (!pattern.Take(']'))
            set = set.Union(ReadItem(isOpposite));
        return isOpposite ? PatternClasses.Opposite(set) : set;
    }

    private CharSet ReadItem(bool isOpposite)
    {
        (CharSet? set, int first) = ReadMember(isOpposite);
        // A hyphen at the end stands for itself.
        if (!pattern.IsAt('-') || pattern.Follows(']'))
            return set ?? CharSet.Of(first);
        pattern.Take('-');
        (CharSet? end, int last) = ReadMember(isOpposite);
        if (set is not null || end is not null)
            throw pattern.Refuse("has a range from or to a class");
        return first <= last ? CharSet.Of([(first, last)]) : throw pattern.Refuse("has a range that ends before it begins");
    }

    private (CharSet? Set, int Character) ReadMember(bool isOpposite)
    {
        if (pattern.Take('\\'))
        {
            if (pattern.ReadClassEscape(perhaps: isOpposite) is { } set)
                return (set, 0);
            // Within a class, \b is a backspace.
            return (null, pattern.Take('b') ? '\b' : pattern.ReadEscape());
        }
        int character = pattern.ReadCharacter();
        return PatternClasses.IsBasic(character)
            ? (null, character)
            : throw pattern.Refuse("has a character beyond the basic plane in a class: write an alternative, (?:…|…)");
    }
}
