using System.Globalization;
using OllamaMax.Grammars.Automata;

namespace OllamaMax.Grammars.Patterns;

/// <summary>
/// Reads the regular part of ECMA-262's patterns (section 22.2.1). What looks ahead, behind or back is refused, and so is what
/// ECMA-262 reads differently with and without its Unicode flag.
/// </summary>
internal sealed class PatternReader(string pattern)
{
    private int _at;
    private int _depth;

    /// <exception cref="PatternException">It cannot be read.</exception>
    public static PatternNode Read(string pattern)
    {
        PatternReader reader = new(pattern);
        PatternNode node = reader.ReadChoice();
        return reader._at == pattern.Length ? node : throw reader.Refuse("has a \")\" without a \"(\"");
    }

    private PatternNode ReadChoice()
    {
        if (++_depth > GrammarLimits.PatternDepth)
            throw Refuse($"has more than {GrammarLimits.PatternDepth} groups within one another");
        List<PatternNode> branches = [ReadSequence()];
        while (Take('|'))
            branches.Add(ReadSequence());
        _depth--;
        return branches.Count == 1 ? branches[0] : new PatternNode.Choice(branches);
    }

    private PatternNode.Sequence ReadSequence()
    {
        List<PatternNode> parts = [];
        while (_at < pattern.Length && pattern[_at] is not ('|' or ')'))
            parts.Add(ReadPart());
        return new(parts);
    }

    private PatternNode ReadPart()
    {
        PatternNode atom = ReadAtom();
        if (ReadQuantifier() is not { } times)
            return atom;
        if (atom is PatternNode.Start or PatternNode.End)
            throw Refuse("repeats \"^\" or \"$\"");
        // A lazy quantifier finds another match first, and the same texts match.
        Take('?');
        if (_at < pattern.Length && pattern[_at] is '*' or '+' or '?')
            throw Refuse("has a quantifier after a quantifier");
        return new PatternNode.Repeat(atom, times.Least, times.Most);
    }

    private PatternNode ReadAtom()
    {
        char character = pattern[_at];
        switch (character)
        {
            case '^':
                _at++;
                return new PatternNode.Start();
            case '$':
                _at++;
                return new PatternNode.End();
            case '.':
                _at++;
                return new PatternNode.Characters(PatternClasses.Dot);
            case '(':
                _at++;
                return ReadGroup();
            case '[':
                _at++;
                return new PatternNode.Characters(new PatternClassReader(this).Read());
            case '\\':
                _at++;
                return new PatternNode.Characters(ReadClassEscape() ?? CharSet.Of(ReadEscape()));
            case '*' or '+' or '?':
                throw Refuse("has a quantifier with nothing before it");
            case '{' or '}' or ']':
                throw Refuse($"has a bare \"{character}\": write \"\\{character}\"");
            default:
                int code = ReadCharacter();
                if (!PatternClasses.IsBasic(code) && _at < pattern.Length && pattern[_at] is '*' or '+' or '?' or '{')
                    throw Refuse("repeats a character beyond the basic plane: put it into a group");
                return new PatternNode.Characters(CharSet.Of(code));
        }
    }

    private PatternNode ReadGroup()
    {
        if (Take('?') && !Take(':'))
        {
            bool isName = Take('<') && _at < pattern.Length && pattern[_at] is not ('=' or '!');
            int end = isName ? pattern.IndexOf('>', _at) : -1;
            if (end < 0)
                throw Refuse("looks ahead or behind, or has a group of an unknown kind, for which there is no grammar");
            _at = end + 1;
        }
        PatternNode group = ReadChoice();
        return Take(')') ? group : throw Refuse("has a \"(\" without a \")\"");
    }

    private (int Least, int? Most)? ReadQuantifier()
    {
        if (Take('*'))
            return (0, null);
        if (Take('+'))
            return (1, null);
        if (Take('?'))
            return (0, 1);
        if (!Take('{'))
            return null;
        int? least = ReadCount();
        int? most = Take(',') ? ReadCount() : least;
        bool isOpen = pattern[_at - 1] == ',';
        if (least is null || !Take('}') || (!isOpen && most is null))
            throw Refuse("has a \"{\" that begins no count: write \"\\{\", or {2}, {2,} or {2,5}");
        if (most < least)
            throw Refuse($"repeats from {least} to {most} times");
        return (least.Value, isOpen ? null : most);
    }

    private int? ReadCount()
    {
        int from = _at;
        while (_at < pattern.Length && char.IsAsciiDigit(pattern[_at]))
            _at++;
        if (from == _at)
            return null;
        return int.TryParse(pattern.AsSpan(from, _at - from), CultureInfo.InvariantCulture, out int count) && count <= GrammarLimits.States
            ? count
            : throw Refuse($"repeats more than {GrammarLimits.States} times");
    }

    /// <summary>After a backslash: <c>d</c>, <c>D</c>, <c>w</c> and so on; null where something else stands.</summary>
    internal CharSet? ReadClassEscape(bool perhaps = false)
    {
        if (_at == pattern.Length || (perhaps ? PatternClasses.FindPerhaps(pattern[_at]) : PatternClasses.Find(pattern[_at])) is not { } set)
            return null;
        _at++;
        return set;
    }

    /// <summary>After a backslash: the character that is meant.</summary>
    internal int ReadEscape()
    {
        char letter = _at < pattern.Length ? pattern[_at++] : throw Refuse("ends with a backslash");
        switch (letter)
        {
            case 't':
                return '\t';
            case 'n':
                return '\n';
            case 'v':
                return '\v';
            case 'f':
                return '\f';
            case 'r':
                return '\r';
            case '0' when _at == pattern.Length || !char.IsAsciiDigit(pattern[_at]):
                return 0;
            case 'x':
                return ReadHex(2);
            case 'u':
                int code = ReadHex(4);
                return char.IsSurrogate((char)code) ? throw Refuse("writes half a surrogate pair") : code;
            case >= '0' and <= '9' or 'k':
                throw Refuse("refers back to a group, for which there is no grammar");
            case 'b' or 'B':
                throw Refuse($"has a word boundary (\\{letter}), for which there is no grammar");
            case 'p' or 'P':
                throw Refuse($"has a Unicode property (\\{letter}), of which validators have different versions: list the ranges");
            default:
                return char.IsAscii(letter) && !char.IsAsciiLetter(letter) ? letter : throw Refuse($"has the unknown escape \\{letter}");
        }
    }

    /// <summary>A character that stands for itself.</summary>
    internal int ReadCharacter()
    {
        if (_at == pattern.Length)
            throw Refuse("ends within a class");
        if (!char.IsSurrogate(pattern[_at]))
            return pattern[_at++];
        if (_at + 1 == pattern.Length || !char.IsSurrogatePair(pattern[_at], pattern[_at + 1]))
            throw Refuse("has half a surrogate pair");
        _at += 2;
        return char.ConvertToUtf32(pattern[_at - 2], pattern[_at - 1]);
    }

    internal bool Take(char character)
    {
        if (!IsAt(character))
            return false;
        _at++;
        return true;
    }

    internal bool IsAt(char character) => _at < pattern.Length && pattern[_at] == character;

    /// <summary>Whether the character after the next one is this one.</summary>
    internal bool Follows(char character) => _at + 1 < pattern.Length && pattern[_at + 1] == character;

    internal PatternException Refuse(string why) => new($"{why} (at {_at})");

    private int ReadHex(int digits)
    {
        if (_at + digits > pattern.Length
            || !int.TryParse(pattern.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int code))
        {
            throw Refuse($"has an escape without its {digits} hexadecimal digits");
        }
        _at += digits;
        return code;
    }
}
