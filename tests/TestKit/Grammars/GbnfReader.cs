using System.Globalization;

namespace OllamaMax.TestKit.Grammars;

/// <summary>
/// Reads a grammar as llama.cpp does (src/llama-grammar.cpp), its traps included: an empty rule would swallow the next line's name, and a
/// repetition of 2,000 or more is refused. Negated sets and tokens, which no grammar here uses, are not read.
/// </summary>
public sealed class GbnfReader
{
    private readonly string _text;
    private int _at;

    private GbnfReader(string text) => _text = text;

    /// <returns>The rules by name.</returns>
    /// <exception cref="FormatException">It is no grammar, or refers to a rule that is not there.</exception>
    public static IReadOnlyDictionary<string, GbnfNode> Read(string text)
    {
        GbnfReader reader = new(text);
        Dictionary<string, GbnfNode> rules = new(StringComparer.Ordinal);
        reader.SkipSpace(newLines: true);
        while (reader._at < text.Length)
        {
            string name = reader.ReadName();
            reader.SkipSpace(newLines: false);
            reader.Expect("::=");
            reader.SkipSpace(newLines: true);
            if (!rules.TryAdd(name, reader.ReadChoice(isNested: false)))
                throw new FormatException($"{name} is there twice");
            if (reader._at < text.Length)
                reader.Expect("\n");
            reader.SkipSpace(newLines: true);
        }
        foreach (string name in rules.Values.SelectMany(References))
        {
            if (!rules.ContainsKey(name))
                throw new FormatException($"{name} is not there");
        }
        return rules;
    }

    private static IEnumerable<string> References(GbnfNode node) => node switch
    {
        GbnfNode.Reference reference => [reference.Name],
        GbnfNode.Sequence sequence => sequence.Parts.SelectMany(References),
        GbnfNode.Choice choice => choice.Branches.SelectMany(References),
        GbnfNode.Repeat repeat => References(repeat.Part),
        _ => [],
    };

    private GbnfNode ReadChoice(bool isNested)
    {
        List<GbnfNode> branches = [ReadSequence(isNested)];
        while (Take('|'))
        {
            SkipSpace(newLines: true);
            branches.Add(ReadSequence(isNested));
        }
        return branches.Count == 1 ? branches[0] : new GbnfNode.Choice(branches);
    }

    private GbnfNode.Sequence ReadSequence(bool isNested)
    {
        List<GbnfNode> parts = [];
        while (_at < _text.Length)
        {
            if (Take('"'))
                parts.Add(ReadLiteral());
            else if (Take('['))
                parts.Add(ReadSet());
            else if (Take('('))
                parts.Add(ReadGroup());
            else if (IsName(_text[_at]))
                parts.Add(new GbnfNode.Reference(ReadName()));
            else if (_text[_at] is '*' or '+' or '?' or '{')
                parts[^1] = ReadRepeat(parts[^1]);
            else
                break;
            SkipSpace(isNested);
        }
        return new(parts);
    }

    private GbnfNode ReadGroup()
    {
        SkipSpace(newLines: true);
        GbnfNode group = ReadChoice(isNested: true);
        Expect(")");
        return group;
    }

    private GbnfNode.Sequence ReadLiteral()
    {
        List<GbnfNode> characters = [];
        while (!Take('"'))
        {
            int character = ReadCharacter();
            characters.Add(new GbnfNode.Characters([(character, character)]));
        }
        return new(characters);
    }

    private GbnfNode.Characters ReadSet()
    {
        if (Take('^'))
            throw new FormatException("negated sets are not read");
        List<(int, int)> ranges = [];
        while (!Take(']'))
        {
            int from = ReadCharacter();
            bool isRange = _text[_at] == '-' && _text[_at + 1] != ']';
            _at += isRange ? 1 : 0;
            ranges.Add((from, isRange ? ReadCharacter() : from));
        }
        return new(ranges);
    }

    private GbnfNode.Repeat ReadRepeat(GbnfNode part)
    {
        (int least, int? most) = _text[_at++] switch
        {
            '*' => (0, null),
            '+' => (1, null),
            '?' => (0, 1),
            _ => ReadCounts(),
        };
        return Math.Max(least, most ?? 0) < 2_000 ? new(part, least, most) : throw new FormatException("repeats 2,000 times or more");
    }

    private (int, int?) ReadCounts()
    {
        string counts = _text[_at.._text.IndexOf('}', _at)];
        _at += counts.Length + 1;
        int[] numbers = [.. counts.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(number => int.Parse(number, CultureInfo.InvariantCulture))];
        return (numbers[0], numbers.Length == 2 ? numbers[1] : counts.Contains(',', StringComparison.Ordinal) ? null : numbers[0]);
    }

    private int ReadCharacter()
    {
        if (!Take('\\'))
        {
            int code = char.ConvertToUtf32(_text, _at);
            _at += char.IsSurrogate(_text[_at]) ? 2 : 1;
            return code;
        }
        char letter = _text[_at++];
        return letter switch
        {
            'x' => ReadHex(2),
            'u' => ReadHex(4),
            'U' => ReadHex(8),
            't' => '\t',
            'r' => '\r',
            'n' => '\n',
            '\\' or '"' or '[' or ']' or '-' => letter,
            _ => throw new FormatException($"\\{letter} at {_at}"),
        };
    }

    private int ReadHex(int digits)
    {
        _at += digits;
        return int.Parse(_text.AsSpan(_at - digits, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }

    private string ReadName()
    {
        int from = _at;
        while (_at < _text.Length && IsName(_text[_at]))
            _at++;
        return _at > from ? _text[from.._at] : throw new FormatException($"a name was expected at {_at}: {_text[_at..]}");
    }

    private static bool IsName(char character) => char.IsAsciiLetterOrDigit(character) || character == '-';

    private bool Take(char character)
    {
        if (_at == _text.Length || _text[_at] != character)
            return false;
        _at++;
        return true;
    }

    private void Expect(string text)
    {
        if (string.CompareOrdinal(_text, _at, text, 0, text.Length) != 0)
            throw new FormatException($"{text} was expected at {_at}: {_text[_at..]}");
        _at += text.Length;
    }

    private void SkipSpace(bool newLines)
    {
        while (_at < _text.Length && (_text[_at] is ' ' or '\t' || (newLines && _text[_at] is '\r' or '\n')))
            _at++;
    }
}
