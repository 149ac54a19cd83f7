using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace OllamaMax.Jobs.Assembling;

/// <summary><see cref="TaggedSyntax"/>: a closing mark within a value is part of it.</summary>
internal sealed class TaggedBody : CallBody
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly TaggedSyntax _syntax;
    private readonly string _close;
    private readonly IReadOnlyDictionary<string, IReadOnlyDictionary<string, ArgumentTypes>>? _arguments;

    /// <summary>What stands between key and value; white space may part it: <c>&lt;/arg_key&gt;</c> and <c>&lt;arg_value&gt;</c>.</summary>
    private readonly string[] _keyEnd;
    private readonly string _valueClose;
    private int _matched;

    public TaggedBody(
        TaggedSyntax syntax, string close, IReadOnlyDictionary<string, IReadOnlyDictionary<string, ArgumentTypes>>? arguments)
    {
        (_syntax, _close, _arguments) = (syntax, close, arguments);
        _keyEnd = syntax.KeyEnd.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        _valueClose = syntax.ValueClose.Trim();
        Begins = [syntax.Open, close];
    }

    public override IReadOnlyList<string> Begins { get; }

    public override void Restart() => _matched = 0;

    public override bool Ends(char c)
    {
        _matched = TextMatch.Advance(_close, _matched, c);
        if (_matched < _close.Length)
            return false;
        _matched = 0;
        return true;
    }

    public override IReadOnlyList<ToolCall>? Read(string name, string body, out bool isUnfinished)
    {
        ReadOnlySpan<char> arguments = body.AsSpan(0, body.Length - _close.Length);
        return Read(name, arguments, isLoose: false, out isUnfinished) ?? (isUnfinished ? null : Read(name, arguments, isLoose: true, out _));
    }

    public override IReadOnlyList<ToolCall>? Mend(string name, string body, bool isClosed)
    {
        if (!isClosed && _arguments?.ContainsKey(name) != true)
            return null;
        return Read(name, isClosed ? body : WithoutBegunClose(body), isLoose: isClosed, out _);
    }

    /// <summary>Without the begin of the closing mark that it ends with.</summary>
    private ReadOnlySpan<char> WithoutBegunClose(string body)
    {
        string text = body.TrimEnd();
        int begun = Enumerable.Range(0, _close.Length).Last(length => text.EndsWith(_close[..length], StringComparison.Ordinal));
        return text.AsSpan(0, text.Length - begun);
    }

    /// <param name="isLoose">Tags behind keys and values may be missing, where the next one tells.</param>
    private IReadOnlyList<ToolCall>? Read(string name, ReadOnlySpan<char> body, bool isLoose, out bool isUnfinished)
    {
        isUnfinished = false;
        ReadOnlySpan<char> rest = body.Trim();
        IReadOnlyDictionary<string, ArgumentTypes>? types = _arguments?.GetValueOrDefault(name);
        Dictionary<string, object> values = [];
        while (!rest.IsEmpty)
        {
            if (!rest.StartsWith(_syntax.Open, StringComparison.Ordinal) || ReadKey(ref rest, isLoose) is not (string key, bool isJson))
                return null;
            int end = rest.IndexOf(_valueClose, StringComparison.Ordinal);
            int next = isLoose ? rest.IndexOf(_syntax.Open, StringComparison.Ordinal) : -1;
            bool lacksClose = end < 0 || (next >= 0 && next < end);
            if (lacksClose && !isLoose)
            {
                isUnfinished = true;
                return null;
            }
            if (lacksClose)
                end = next < 0 ? rest.Length : next;
            string text = Text(rest[..end]);
            values[key] = isJson ? ValueOf(text, types?.GetValueOrDefault(key) is { } known and not ArgumentTypes.None ? known : ArgumentTypes.Any) : text;
            rest = rest[(end + (lacksClose ? 0 : _valueClose.Length))..].TrimStart();
        }
        return [new ToolCall(name, ObjectOf(values))];
    }

    /// <summary>Takes an argument's name and the marks around it off. Null where they are not whole.</summary>
    private (string Key, bool IsJson)? ReadKey(ref ReadOnlySpan<char> rest, bool isLoose)
    {
        rest = rest[_syntax.Open.Length..];
        int end = rest.IndexOf(_keyEnd[0], StringComparison.Ordinal);
        int value = isLoose && _keyEnd.Length > 1 ? rest.IndexOf(_keyEnd[1], StringComparison.Ordinal) : -1;
        if (value > 0 && (end < 0 || value < end) && !rest[..value].ContainsAny('<', '\n'))
        {
            string bare = rest[..value].Trim().ToString();
            rest = rest[(value + _keyEnd[1].Length)..];
            return (bare, true);
        }
        int endOfJson = _syntax.KeyEndOfJson.Length == 0 ? -1 : rest.IndexOf(_syntax.KeyEndOfJson, StringComparison.Ordinal);
        bool isText = _syntax.KeyEndOfJson.Length > 0 && end >= 0 && (endOfJson < 0 || end < endOfJson);
        if (!isText && endOfJson >= 0)
            end = endOfJson;
        if (end <= 0 || rest[..end].ContainsAny('<', '\n'))
            return null;
        string key = rest[..end].Trim().ToString();
        rest = rest[(end + (!isText && endOfJson >= 0 ? _syntax.KeyEndOfJson : _keyEnd[0]).Length)..];
        foreach (string part in _keyEnd.AsSpan(1))
        {
            rest = rest.TrimStart();
            if (!rest.StartsWith(part, StringComparison.Ordinal))
                return null;
            rest = rest[part.Length..];
        }
        return (key, !isText);
    }

    /// <summary>Without the line breaks that the template writes around values.</summary>
    private string Text(ReadOnlySpan<char> value)
    {
        if (_syntax.KeyEnd.EndsWith('\n') && value.StartsWith('\n'))
            value = value[1..];
        return (_syntax.ValueClose.StartsWith('\n') && value.EndsWith('\n') ? value[..^1] : value).ToString();
    }

    /// <summary>What is not of the argument's types stays the text that it was, or the value, where it may be no text.</summary>
    private static object ValueOf(string text, ArgumentTypes types)
    {
        if (types == ArgumentTypes.Texts)
            return text;
        bool mayBeText = types.HasFlag(ArgumentTypes.Texts);
        // Templates write some values as Python does: True, ['a'].
        JsonElement? value = ToolCallJson.Parse(text) ?? (mayBeText ? null : new LooseLiteral(text).Read());
        return value is { } found && (!mayBeText || types.HasFlag(ToolArguments.TypeOf(found))) ? found : text;
    }

    private static JsonElement ObjectOf(Dictionary<string, object> values)
    {
        ArrayBufferWriter<byte> json = new();
        using (Utf8JsonWriter writer = new(json, Plain))
        {
            writer.WriteStartObject();
            foreach ((string key, object value) in values)
            {
                writer.WritePropertyName(key);
                if (value is JsonElement element)
                    element.WriteTo(writer);
                else
                    writer.WriteStringValue((string)value);
            }
            writer.WriteEndObject();
        }
        return JsonElement.Parse(json.WrittenSpan);
    }
}
