using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using OllamaMax.Grammars.Schemas;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Assembling;

namespace OllamaMax.Grammars;

/// <summary>
/// Grammars (GBNF) for arguments in tags: those that the schema names, in its order. A text is written as it is, up to the tag that closes it; of texts a
/// grammar keeps the values of <c>enum</c> and <c>const</c> and nothing else. All other values are JSON that satisfies their schemas.
/// </summary>
internal sealed class TaggedGrammar
{
    /// <summary>Of arguments that no schema names.</summary>
    private const int MostUnnamed = 16;

    /// <summary>Keywords of a text that the grammar keeps.</summary>
    private static readonly string[] KeptOfTexts = ["type", "enum", "const"];

    private readonly TaggedSyntax _syntax;
    private readonly JsonElement _schema;
    private readonly SchemaDocument _document;
    private readonly bool _isLoose;
    private readonly StringBuilder _rules = new();
    private bool _hasTexts;

    private TaggedGrammar(TaggedSyntax syntax, JsonElement? schema, bool isLoose)
    {
        (_syntax, _schema, _isLoose) = (syntax, schema ?? default, isLoose);
        _document = new SchemaDocument(_schema);
    }

    /// <param name="error">What of the schema the grammar does not keep.</param>
    public static bool TryWrite(
        TaggedSyntax syntax, JsonElement? schema, [NotNullWhen(true)] out string? grammar, [NotNullWhen(false)] out SchemaError? error)
    {
        try
        {
            (grammar, error) = (new TaggedGrammar(syntax, schema, isLoose: false).Write(), null);
            return true;
        }
        catch (SchemaException refused)
        {
            (grammar, error) = (null, refused.Error);
            return false;
        }
    }

    /// <summary>The grammar that keeps as much of the schema as it can.</summary>
    public static string WriteLoosely(TaggedSyntax syntax, JsonElement? schema) => new TaggedGrammar(syntax, schema, isLoose: true).Write();

    private string Write()
    {
        string root;
        if (_schema.ValueKind == JsonValueKind.Object && _schema.TryGetProperty("properties", out JsonElement properties) && properties.ValueKind == JsonValueKind.Object)
            root = WriteNamed(properties);
        else if (_isLoose || _schema.ValueKind is not JsonValueKind.Object || !_schema.EnumerateObject().Any(keyword => keyword.Name is "$ref" or "allOf" or "anyOf" or "oneOf"))
            root = string.Create(CultureInfo.InvariantCulture, $"({CallMarks.Write(_syntax.Open)} [0-9a-zA-Z_.-]{{1,64}} {Text()}){{0,{MostUnnamed}}}");
        else
            throw new SchemaException(new("#", "properties", "must be there: calls of this model name arguments one by one"));
        if (_hasTexts)
            ThinkingGrammar.WriteUntil(_rules, "text", _syntax.ValueClose.Trim());
        return $"root ::= {root}\n{_rules}";
    }

    private string WriteNamed(JsonElement properties)
    {
        HashSet<string> required = [];
        if (_schema.TryGetProperty("required", out JsonElement names) && names.ValueKind == JsonValueKind.Array)
            required = [.. names.EnumerateArray().Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString()!)];
        IReadOnlyDictionary<string, ArgumentTypes> types = ToolArguments.Of(_schema);
        List<string> arguments = [GbnfText.Literal("")];
        // Of a name that is there twice the last one counts, as for every other reader.
        foreach (JsonProperty property in properties.EnumerateObject().GroupBy(property => property.Name, StringComparer.Ordinal).Select(same => same.Last()))
        {
            int i = arguments.Count;
            string value = types[property.Name] == ArgumentTypes.Texts ? WriteText(property) : WriteJson(property, i);
            _rules.Append(CultureInfo.InvariantCulture, $"argument-{i} ::= {CallMarks.Write(_syntax.Open)} {GbnfText.Literal(property.Name)} {value}\n");
            arguments.Add(string.Create(CultureInfo.InvariantCulture, $"argument-{i}{(required.Contains(property.Name) ? "" : "?")}"));
        }
        return string.Join(' ', arguments);
    }

    private string WriteText(JsonProperty property)
    {
        JsonElement schema = Referred(property.Value);
        if (Constants(schema) is { } constants)
            return $"{Mark(_syntax.KeyEnd)} ({string.Join(" | ", constants.Select(GbnfText.Literal))}) {Mark(_syntax.ValueClose)}";
        if (!_isLoose && schema.EnumerateObject().FirstOrDefault(keyword => !KeptOfTexts.Contains(keyword.Name) && !ToolGrammar.Annotations.Contains(keyword.Name)) is { Value.ValueKind: not JsonValueKind.Undefined } other)
            throw new SchemaException(new($"#/properties/{property.Name}", other.Name, "cannot be kept: this model writes texts as they are, without quotes"));
        return Text();
    }

    /// <summary>
    /// What a schema refers to that says nothing else, also where the reference is all that is in <c>allOf</c>, as some libraries write it. That it is a text has been
    /// found out by the same way, so that it ends somewhere.
    /// </summary>
    private JsonElement Referred(JsonElement schema)
    {
        while (true)
        {
            JsonProperty[] keywords = [.. schema.EnumerateObject().Where(keyword => !ToolGrammar.Annotations.Contains(keyword.Name))];
            if (keywords is [{ Name: "$ref", Value.ValueKind: JsonValueKind.String } reference])
                schema = _document.Resolve(_document.Root, reference.Value.GetString()!).Element;
            else if (keywords is [{ Name: "allOf", Value.ValueKind: JsonValueKind.Array } parts] && parts.Value.GetArrayLength() == 1)
                schema = parts.Value[0];
            else
                return schema;
        }
    }

    /// <summary>Any text, with the marks around it.</summary>
    private string Text()
    {
        _hasTexts = true;
        string behind = _syntax.ValueClose[_syntax.ValueClose.TrimEnd().Length..];
        return $"{Mark(_syntax.KeyEnd)} text-0 {Mark(behind)}";
    }

    /// <summary>The values of enum or const; null where the schema has neither, or says more than that.</summary>
    private static string[]? Constants(JsonElement schema)
    {
        if (schema.TryGetProperty("const", out JsonElement constant))
            return [constant.GetString()!];
        return schema.TryGetProperty("enum", out JsonElement values) && values.ValueKind == JsonValueKind.Array
            ? [.. values.EnumerateArray().Where(value => value.ValueKind == JsonValueKind.String).Select(value => value.GetString()!)]
            : null;
    }

    private string WriteJson(JsonProperty property, int i)
    {
        if (!JsonGrammar.TryFromSchema(WithDefinitions(property.Value), out string? grammar, out SchemaError? error))
        {
            if (!_isLoose || !JsonGrammar.TryFromSchema(JsonElement.Parse("true"), out grammar, out _))
                throw new SchemaException(error with { Location = $"#/properties/{property.Name}{error.Location[1..]}" });
        }
        string prefix = string.Create(CultureInfo.InvariantCulture, $"value-{i}-");
        GbnfText.AppendRenamed(_rules, grammar, name => prefix + name);
        string keyEnd = _syntax.KeyEndOfJson.Length > 0 ? _syntax.KeyEndOfJson : _syntax.KeyEnd;
        return $"{Mark(keyEnd)} {prefix}root {Mark(_syntax.ValueClose)}";
    }

    /// <summary>The schema of a value with what references in it may refer to.</summary>
    private JsonElement WithDefinitions(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
            return value;
        ArrayBufferWriter<byte> all = new();
        using (Utf8JsonWriter writer = new(all))
        {
            writer.WriteStartObject();
            // A keyword may be there twice, as in any JSON.
            foreach (JsonProperty keyword in value.EnumerateObject())
                keyword.WriteTo(writer);
            foreach (string name in (string[])["$defs", "definitions"])
            {
                if (!value.TryGetProperty(name, out _) && _schema.TryGetProperty(name, out JsonElement definitions))
                {
                    writer.WritePropertyName(name);
                    definitions.WriteTo(writer);
                }
            }
            writer.WriteEndObject();
        }
        return JsonElement.Parse(all.WrittenSpan);
    }

    private static string Mark(string mark) => CallMarks.Write(CallMarks.Lines(mark));
}
