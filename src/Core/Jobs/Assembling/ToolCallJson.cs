using System.Buffers;
using System.Text.Json;

namespace OllamaMax.Jobs.Assembling;

/// <summary>Reads the JSON in which models write calls.</summary>
public static class ToolCallJson
{
    /// <summary>Nesting that a call may have: what is made of it (an answer, a record) has it up to seven levels deeper, and readers of JSON take 64.</summary>
    internal const int MaxDepth = 56;

    private static readonly JsonDocumentOptions Nesting = new() { MaxDepth = MaxDepth };

    private static readonly JsonElement NoArguments = JsonElement.Parse("{}");

    /// <summary>Names of fields that a call may begin with.</summary>
    private static readonly string[] Fields = ["name", "parameters", "arguments", "type", "function", "id"];

    /// <summary>The call that an object <c>{"name":…,"arguments":{…}}</c> describes; null where it describes none.</summary>
    /// <param name="json">Anything.</param>
    /// <param name="mayLackArguments">Whether a name alone is a call. Where calls have no marker it is not: it may be an answer in JSON.</param>
    internal static ToolCall? Read(string json, bool mayLackArguments) =>
        Parse(json) is { } call ? Read(call, "name", "arguments", mayLackArguments) : null;

    private static ToolCall? Read(JsonElement call, string nameField, string argumentsField, bool mayLackArguments)
    {
        if (call.ValueKind != JsonValueKind.Object
            || !call.TryGetProperty(nameField, out JsonElement name)
            || name.ValueKind != JsonValueKind.String
            || name.GetString() is not { Length: > 0 } text)
        {
            return null;
        }
        if (!call.TryGetProperty(argumentsField, out JsonElement arguments) && !call.TryGetProperty("parameters", out arguments))
            return mayLackArguments ? new ToolCall(text, NoArguments) : null;
        // Some write the arguments as OpenAI's API has them: JSON in a string.
        JsonElement? given = arguments.ValueKind == JsonValueKind.String ? Parse(arguments.GetString()!) : arguments;
        return given is { ValueKind: JsonValueKind.Object } found ? new ToolCall(text, found) : null;
    }

    /// <summary>The call of a name and its arguments; null where these are no object.</summary>
    internal static ToolCall? Read(string name, string arguments) =>
        name.Length > 0 && ArgumentsIn(arguments) is { } given ? new ToolCall(name, given) : null;

    /// <summary>The arguments that a text is, as OpenAI's API has them; null where it is no object's JSON. Any writer takes them.</summary>
    public static JsonElement? ArgumentsIn(string text) => Parse(text) is { ValueKind: JsonValueKind.Object } arguments ? arguments : null;

    /// <summary>The calls of an array's objects; null where it is none, or one of them is no call.</summary>
    internal static IReadOnlyList<ToolCall>? ReadAll(string json, string nameField, string argumentsField)
    {
        if (Parse(json) is not { ValueKind: JsonValueKind.Array } array)
            return null;
        ToolCall[] calls = [.. array.EnumerateArray().Select(call => Read(call, nameField, argumentsField, mayLackArguments: true)).OfType<ToolCall>()];
        return calls.Length == array.GetArrayLength() && calls.Length > 0 ? calls : null;
    }

    /// <summary>Whether an object that begins so may become a call: false as soon as its first field is none of a call's.</summary>
    internal static bool MayBeCall(ReadOnlySpan<char> begin)
    {
        ReadOnlySpan<char> rest = begin[1..].TrimStart();
        if (rest.IsEmpty)
            return true;
        if (rest[0] != '"')
            return false;
        rest = rest[1..];
        int end = rest.IndexOf('"');
        foreach (string field in Fields)
        {
            if (end < 0 ? field.AsSpan().StartsWith(rest, StringComparison.Ordinal) : rest[..end].SequenceEqual(field))
                return true;
        }
        return false;
    }

    /// <summary>The value that a text is; null where it is no JSON that any writer takes.</summary>
    internal static JsonElement? Parse(string json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, Nesting);
            // JSON's grammar allows half a surrogate pair as an escape, and no writer does: better found out here than in the answer.
            using (Utf8JsonWriter trial = new(new ArrayBufferWriter<byte>()))
                document.RootElement.WriteTo(trial);
            return document.RootElement.Clone();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            return null;
        }
    }
}
