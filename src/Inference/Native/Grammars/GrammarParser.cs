using System.Text;

namespace OllamaMax.Inference.Native.Grammars;

/// <summary>
/// Reads GBNF, the notation of llama.cpp (https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md). Refused beyond what
/// that refuses: a rule that is defined twice, an empty set or range, <c>{5,3}</c>, and tokens (<c>&lt;[7]&gt;</c>).
/// </summary>
/// <param name="text">The grammar.</param>
/// <param name="alphabet">Takes the sets of characters.</param>
internal sealed class GrammarParser(string text, AlphabetBuilder alphabet)
{
    public const int MaxLength = 1 << 20;
    private const int MaxRules = 4096;

    // Brackets and repetitions in each other; what reads and compiles them recurses as deep.
    private const int MaxDepth = 128;
    private const int MaxRepetitions = 1_000_000;

    private readonly Dictionary<string, int> _numbers = [];
    private readonly List<(string Name, GrammarNode? Body)> _rules = [];
    private int _at;
    private int _brackets;

    /// <returns>The rules by number; <see cref="GrammarNode.Reference"/> has these.</returns>
    /// <exception cref="GrammarException">It is not GBNF, or too large.</exception>
    public IReadOnlyList<(string Name, GrammarNode Body)> Read()
    {
        if (text.Length > MaxLength)
            throw new GrammarException($"has {text.Length} characters; at most {MaxLength} are read");
        SkipSpace(newLines: true);
        while (_at < text.Length)
            ReadRule();
        foreach ((string name, GrammarNode? body) in _rules)
        {
            if (body is null)
                throw new GrammarException($"uses the rule '{name}', which it does not define");
        }
        return [.. _rules.Select(static rule => (rule.Name, rule.Body!))];
    }

    private char Current => Peek(0);

    private char Peek(int ahead) => _at + ahead < text.Length ? text[_at + ahead] : '\0';

    private void ReadRule()
    {
        string name = ReadName();
        SkipSpace(newLines: false);
        if (string.CompareOrdinal(text, _at, "::=", 0, 3) != 0)
            throw Wrong("'::=' is expected");
        _at += 3;
        SkipSpace(newLines: true);
        int number = NumberOf(name);
        if (_rules[number].Body is not null)
            throw new GrammarException($"defines the rule '{name}' twice");
        _rules[number] = (name, ReadChoice());
        if (_at < text.Length && Current is not ('\r' or '\n'))
            throw Wrong("a new line is expected");
        SkipSpace(newLines: true);
    }

    private GrammarNode ReadChoice()
    {
        List<GrammarNode> items = [ReadSequence()];
        while (Current == '|')
        {
            _at++;
            SkipSpace(newLines: true);
            items.Add(ReadSequence());
        }
        return items.Count == 1 ? items[0] : new GrammarNode.Choice(items);
    }

    private GrammarNode.Sequence ReadSequence()
    {
        List<GrammarNode> items = [];
        while (_at < text.Length)
        {
            if (ReadItem() is { } item)
                items.Add(item);
            else if (Current is '*' or '+' or '?' or '{')
                items[^1] = ReadRepetition(items.Count > 0 ? items[^1] : throw Wrong("there is nothing to repeat"));
            else
                break;
            SkipSpace(newLines: _brackets > 0);
        }
        return new GrammarNode.Sequence(items);
    }

    /// <returns>Null where no item begins.</returns>
    private GrammarNode? ReadItem()
    {
        switch (Current)
        {
            case '"':
                return ReadLiteral();
            case '[':
                return ReadSet();
            case '(':
                return ReadBrackets();
            case '.':
                _at++;
                return new GrammarNode.Chars(alphabet.Add([(0, AlphabetBuilder.LastCodePoint)], negated: false));
            case '<' or '!':
                throw Wrong("tokens are not supported");
            default:
                return IsNameCharacter(Current) ? new GrammarNode.Reference(NumberOf(ReadName())) : null;
        }
    }

    private GrammarNode.Sequence ReadLiteral()
    {
        _at++;
        List<GrammarNode> characters = [];
        while (Current != '"')
        {
            int character = ReadCharacter();
            characters.Add(new GrammarNode.Chars(alphabet.Add([(character, character)], negated: false)));
        }
        _at++;
        return new GrammarNode.Sequence(characters);
    }

    private GrammarNode.Chars ReadSet()
    {
        int start = _at++;
        bool negated = Current == '^';
        if (negated)
            _at++;
        List<(int, int)> ranges = [];
        while (Current != ']')
        {
            int low = ReadCharacter(), high = low;
            if (Current == '-' && Peek(1) != ']')
            {
                _at++;
                high = ReadCharacter();
            }
            if (high < low)
                throw Wrong("a range ends before it begins");
            ranges.Add((low, high));
        }
        _at++;
        if (ranges.Count == 0)
            throw Wrong("a set of characters is empty", start);
        return new GrammarNode.Chars(alphabet.Add(ranges, negated));
    }

    private GrammarNode ReadBrackets()
    {
        _at++;
        if (++_brackets > MaxDepth)
            throw Wrong($"brackets are nested deeper than {MaxDepth}");
        SkipSpace(newLines: true);
        GrammarNode inner = ReadChoice();
        if (Current != ')')
            throw Wrong("')' is expected");
        _at++;
        _brackets--;
        return inner;
    }

    private GrammarNode.Repeat ReadRepetition(GrammarNode item)
    {
        if (item.Depth > 4 * MaxDepth)
            throw Wrong("repetitions are nested too deep");
        (int least, int? most) = text[_at++] switch
        {
            '*' => (0, null),
            '+' => (1, null),
            '?' => (0, 1),
            _ => ReadBounds(),
        };
        return new GrammarNode.Repeat(item, least, most);
    }

    private (int Least, int? Most) ReadBounds()
    {
        SkipSpace(newLines: _brackets > 0);
        int least = ReadNumber();
        int? most = least;
        SkipSpace(newLines: _brackets > 0);
        if (Current == ',')
        {
            _at++;
            SkipSpace(newLines: _brackets > 0);
            most = char.IsAsciiDigit(Current) ? ReadNumber() : null;
            SkipSpace(newLines: _brackets > 0);
        }
        if (Current != '}')
            throw Wrong("'}' is expected");
        if (most < least)
            throw Wrong($"at least {least} and at most {most} repetitions are impossible");
        _at++;
        return (least, most);
    }

    private int ReadNumber()
    {
        int start = _at, value = 0;
        for (; char.IsAsciiDigit(Current); _at++)
        {
            value = (value * 10) + (Current - '0');
            if (value > MaxRepetitions)
                throw Wrong($"more than {MaxRepetitions} repetitions are too many", start);
        }
        return _at > start ? value : throw Wrong("a number is expected");
    }

    private int ReadCharacter()
    {
        if (_at == text.Length)
            throw Wrong("the end comes too early");
        if (Current == '\\')
            return ReadEscape();
        if (!Rune.TryGetRuneAt(text, _at, out Rune rune))
            throw Wrong("half a character");
        _at += rune.Utf16SequenceLength;
        return rune.Value;
    }

    private int ReadEscape()
    {
        char kind = Peek(1);
        _at += 2;
        return kind switch
        {
            'x' => ReadHex(2),
            'u' => ReadHex(4),
            'U' => ReadHex(8),
            't' => '\t',
            'r' => '\r',
            'n' => '\n',
            '\\' or '"' or '[' or ']' or '-' => kind,
            _ => throw Wrong("an unknown escape", _at - 2),
        };
    }

    private int ReadHex(int digits)
    {
        int start = _at;
        uint value = 0;
        for (; _at < start + digits; _at++)
            value = char.IsAsciiHexDigit(Current) ? (value << 4) | (uint)Convert.ToInt32(Current.ToString(), 16) : throw Wrong($"{digits} hexadecimal digits are expected", start);
        return value <= AlphabetBuilder.LastCodePoint ? (int)value : throw Wrong("no such character", start);
    }

    private string ReadName()
    {
        int start = _at;
        while (IsNameCharacter(Current))
            _at++;
        return _at > start ? text[start.._at] : throw Wrong("a rule's name is expected");
    }

    private int NumberOf(string name)
    {
        if (_numbers.TryGetValue(name, out int number))
            return number;
        if (_rules.Count == MaxRules)
            throw new GrammarException($"has more than {MaxRules} rules");
        _numbers.Add(name, _rules.Count);
        _rules.Add((name, null));
        return _rules.Count - 1;
    }

    private void SkipSpace(bool newLines)
    {
        for (; _at < text.Length; _at++)
        {
            if (Current == '#')
            {
                while (_at + 1 < text.Length && Peek(1) is not ('\r' or '\n'))
                    _at++;
            }
            else if (Current is not (' ' or '\t') && !(newLines && Current is ('\r' or '\n')))
            {
                return;
            }
        }
    }

    private GrammarException Wrong(string what, int? at = null)
    {
        int position = at ?? _at;
        int line = 1 + text.AsSpan(0, Math.Min(position, text.Length)).Count('\n');
        int column = position - (position == 0 ? -1 : text.LastIndexOf('\n', Math.Min(position, text.Length) - 1));
        return new GrammarException($"is wrong at line {line}, column {column}: {what}");
    }

    private static bool IsNameCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c == '-';
}
