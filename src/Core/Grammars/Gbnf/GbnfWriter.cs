using System.Globalization;
using System.Text;
using OllamaMax.Grammars.Automata;

namespace OllamaMax.Grammars.Gbnf;

/// <summary>Writes rules in llama.cpp's grammar language (grammars/README.md there; read by src/llama-grammar.cpp).</summary>
internal sealed class GbnfWriter
{
    private readonly StringBuilder _text = new();

    /// <summary>The rule first, then what it refers to.</summary>
    /// <returns>Null where it would be longer than <see cref="GrammarLimits"/> says.</returns>
    public static string? Write(GrammarRule root)
    {
        GbnfWriter writer = new();
        HashSet<GrammarRule> seen = [root];
        Queue<GrammarRule> open = new([root]);
        while (open.TryDequeue(out GrammarRule? rule))
        {
            writer._text.Append(rule.Name).Append(" ::= ");
            writer.WriteChoice(rule.Meaning);
            writer._text.Append('\n');
            if (seen.Count > GrammarLimits.Rules || writer._text.Length > GrammarLimits.GrammarLength)
                return null;
            foreach (GrammarRule next in Expression.References(rule.Meaning).Where(seen.Add))
                open.Enqueue(next);
        }
        return writer._text.ToString();
    }

    private void WriteChoice(Expression expression)
    {
        if (expression is not Expression.Choice choice)
        {
            WriteSequence(expression);
            return;
        }
        if (choice.Branches.Count == 0)
            throw new InvalidOperationException("A rule that matches nothing was to be written.");
        for (int i = 0; i < choice.Branches.Count; i++)
        {
            if (i > 0)
                _text.Append(" | ");
            WriteSequence(choice.Branches[i]);
        }
    }

    private void WriteSequence(Expression expression)
    {
        if (expression is not Expression.Sequence sequence)
        {
            WritePart(expression);
            return;
        }
        // Nothing at all would make the parser read on in the next line.
        if (sequence.Parts.Count == 0)
            _text.Append("\"\"");
        for (int i = 0; i < sequence.Parts.Count; i++)
        {
            if (i > 0)
                _text.Append(' ');
            WritePart(sequence.Parts[i]);
        }
    }

    private void WritePart(Expression expression)
    {
        switch (expression)
        {
            case Expression.Literal literal:
                WriteLiteral(literal.Value);
                break;
            case Expression.Characters characters:
                WriteSet(characters.Set);
                break;
            case Expression.Reference reference:
                _text.Append(reference.Rule.Name);
                break;
            case Expression.Repeat repeat:
                WriteRepeat(repeat);
                break;
            default:
                _text.Append('(');
                WriteChoice(expression);
                _text.Append(')');
                break;
        }
    }

    private void WriteRepeat(Expression.Repeat repeat)
    {
        if (repeat.Part is Expression.Repeat)
        {
            _text.Append('(');
            WritePart(repeat.Part);
            _text.Append(')');
        }
        else
        {
            WritePart(repeat.Part);
        }
        _ = (repeat.Least, repeat.Most) switch
        {
            (0, 1) => _text.Append('?'),
            (0, null) => _text.Append('*'),
            (1, null) => _text.Append('+'),
            (int least, null) => _text.Append(CultureInfo.InvariantCulture, $"{{{least},}}"),
            (int least, int most) when least == most => _text.Append(CultureInfo.InvariantCulture, $"{{{least}}}"),
            (int least, int most) => _text.Append(CultureInfo.InvariantCulture, $"{{{least},{most}}}"),
        };
    }

    private void WriteLiteral(string text)
    {
        _text.Append('"');
        foreach (Rune rune in text.EnumerateRunes())
            WriteCharacter(rune.Value, special: "\"\\");
        _text.Append('"');
    }

    private void WriteSet(CharSet set)
    {
        _text.Append('[');
        foreach ((int from, int to) in set.Ranges)
        {
            WriteCharacter(from, special: "[]^-\\");
            if (to > from + 1)
                _text.Append('-');
            if (to > from)
                WriteCharacter(to, special: "[]^-\\");
        }
        _text.Append(']');
    }

    private void WriteCharacter(int code, string special)
    {
        if (code == '"' && special.Contains('"'))
            _text.Append("\\\"");
        else if (code == '\\')
            _text.Append("\\\\");
        else if (code is >= ' ' and < 0x7F && !special.Contains((char)code))
            _text.Append((char)code);
        else if (code <= 0xFF)
            _text.Append(CultureInfo.InvariantCulture, $"\\x{code:X2}");
        else if (code <= 0xFFFF)
            _text.Append(CultureInfo.InvariantCulture, $"\\u{code:X4}");
        else
            _text.Append(CultureInfo.InvariantCulture, $"\\U{code:X8}");
    }
}
