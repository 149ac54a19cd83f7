using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace OllamaMax.Jobs.Assembling;

/// <summary>
/// Reads values as Python writes them (<c>{'a': [True, None, "é"]}</c>), which JSON is among, and with keys that need no quotes and a quote of the model's own.
/// </summary>
/// <param name="text">Anything.</param>
/// <param name="quote">As <see cref="LiteralSyntax.Quote"/>.</param>
internal sealed class LooseLiteral(string text, string quote = "")
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private int _at;

    /// <summary>The value that the text is; null where it is none.</summary>
    public JsonElement? Read() => Written(writer => TryValue(writer, 0) && IsAtEnd());

    /// <summary>The arguments of a call that the text is, <c>(a=1)</c>; null where it is something else.</summary>
    public JsonElement? ReadArguments() => Written(writer => Takes('(') && TryMembers(writer, '=', ')', 0) && IsAtEnd());

    /// <summary>The calls that the text is, <c>[f(a=1), g()]</c>; null where it is something else.</summary>
    public IReadOnlyList<ToolCall>? ReadCalls()
    {
        List<ToolCall> calls = [];
        if (!Takes('['))
            return null;
        do
        {
            string name = Word("(");
            if (!IsName(name) || !Takes('(') || Written(writer => TryMembers(writer, '=', ')', 0)) is not { } arguments)
                return null;
            calls.Add(new ToolCall(name, arguments));
        }
        while (Takes(','));
        return Takes(']') && IsAtEnd() ? calls : null;
    }

    private static JsonElement? Written(Func<Utf8JsonWriter, bool> tryWrite)
    {
        ArrayBufferWriter<byte> json = new();
        using (Utf8JsonWriter writer = new(json, Plain))
        {
            if (!tryWrite(writer))
                return null;
        }
        return JsonElement.Parse(json.WrittenSpan);
    }

    private bool TryValue(Utf8JsonWriter writer, int depth)
    {
        if (depth > ToolCallJson.MaxDepth)
            return false;
        if (TryText(out string? value))
        {
            writer.WriteStringValue(value);
            return true;
        }
        if (Takes('{'))
            return TryMembers(writer, ':', '}', depth);
        if (Takes('['))
            return TryItems(writer, ']', depth);
        return Takes('(') ? TryItems(writer, ')', depth) : TryWord(writer);
    }

    private bool TryMembers(Utf8JsonWriter writer, char between, char close, int depth)
    {
        writer.WriteStartObject();
        if (!TryList(close, () => TryMember(writer, between, depth)))
            return false;
        writer.WriteEndObject();
        return true;
    }

    private bool TryMember(Utf8JsonWriter writer, char between, int depth)
    {
        bool isQuoted = TryText(out string? quoted);
        string name = quoted ?? Word($"{between}");
        if ((!isQuoted && !IsName(name)) || !Takes(between))
            return false;
        writer.WritePropertyName(name);
        return TryValue(writer, depth + 1);
    }

    private bool TryItems(Utf8JsonWriter writer, char close, int depth)
    {
        writer.WriteStartArray();
        if (!TryList(close, () => TryValue(writer, depth + 1)))
            return false;
        writer.WriteEndArray();
        return true;
    }

    /// <summary>With commas between the parts; one behind the last is forgiven.</summary>
    private bool TryList(char close, Func<bool> tryPart)
    {
        for (bool isFirst = true; !Takes(close); isFirst = false)
        {
            if (!isFirst && !Takes(','))
                return false;
            if (!isFirst && Takes(close))
                return true;
            if (!tryPart())
                return false;
        }
        return true;
    }

    /// <summary>A number, or a name for true, false or null.</summary>
    private bool TryWord(Utf8JsonWriter writer)
    {
        string word = Word(",}])");
        string json = word switch
        {
            "True" => "true",
            "False" => "false",
            "None" => "null",
            _ => word,
        };
        if (ToolCallJson.Parse(json) is not { ValueKind: JsonValueKind.True or JsonValueKind.False or JsonValueKind.Null or JsonValueKind.Number } value)
            return false;
        value.WriteTo(writer);
        return true;
    }

    private bool TryText(out string? value)
    {
        SkipSpace();
        value = null;
        if (quote.Length > 0 && string.CompareOrdinal(text, _at, quote, 0, quote.Length) == 0)
        {
            int end = text.IndexOf(quote, _at + quote.Length, StringComparison.Ordinal);
            if (end < 0)
                return false;
            value = text[(_at + quote.Length)..end];
            _at = end + quote.Length;
        }
        else if (_at < text.Length && text[_at] is '"' or '\'')
        {
            value = Unescaped(text[_at]);
        }
        return value is not null;
    }

    /// <returns>Null where the text does not end.</returns>
    private string? Unescaped(char end)
    {
        StringBuilder value = new();
        for (int i = _at + 1; i < text.Length; i++)
        {
            if (text[i] == end)
            {
                _at = i + 1;
                return value.ToString();
            }
            if (text[i] == '\\' && i + 1 < text.Length)
                i = Unescape(i + 1, value);
            else
                value.Append(text[i]);
        }
        return null;
    }

    /// <returns>The position of the escape's last character.</returns>
    private int Unescape(int i, StringBuilder value)
    {
        int digits = text[i] switch
        {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        if (digits > 0 && i + digits < text.Length
            && int.TryParse(text.AsSpan(i + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int code) && code is >= 0 and <= 0x10FFFF)
        {
            value.Append(code > char.MaxValue ? char.ConvertFromUtf32(code) : ((char)code).ToString());
            return i + digits;
        }
        _ = text[i] switch
        {
            'n' => value.Append('\n'),
            't' => value.Append('\t'),
            'r' => value.Append('\r'),
            'b' => value.Append('\b'),
            'f' => value.Append('\f'),
            '\\' or '\'' or '"' or '/' => value.Append(text[i]),
            // What escapes nothing is Python's as it stands.
            _ => value.Append('\\').Append(text[i]),
        };
        return i;
    }

    /// <summary>All up to one of those characters, without the space around it.</summary>
    private string Word(string ends)
    {
        int end = text.AsSpan(_at).IndexOfAny(ends);
        int start = _at;
        _at = end < 0 ? text.Length : _at + end;
        return text[start.._at].Trim();
    }

    private static bool IsName(string word) => word.Length > 0 && word.All(c => char.IsLetterOrDigit(c) || c is '_' or '-' or '.' or ':' or '/');

    private bool Takes(char c)
    {
        SkipSpace();
        if (_at == text.Length || text[_at] != c)
            return false;
        _at++;
        return true;
    }

    private bool IsAtEnd()
    {
        SkipSpace();
        return _at == text.Length;
    }

    private void SkipSpace()
    {
        while (_at < text.Length && char.IsWhiteSpace(text[_at]))
            _at++;
    }
}
