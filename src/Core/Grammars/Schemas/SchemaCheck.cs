using System.Text.Json;

namespace OllamaMax.Grammars.Schemas;

/// <summary>Looks at the whole document before anything is read from it: its size, its depth, names that stand twice, texts that are no Unicode.</summary>
internal static class SchemaCheck
{
    private const int Depth = 4 * GrammarLimits.Depth;

    /// <exception cref="SchemaException">Something of this kind is wrong.</exception>
    public static void Check(JsonElement schema)
    {
        if (schema.ValueKind == JsonValueKind.Undefined)
            throw Refuse("is missing");
        if (schema.GetRawText().Length > GrammarLimits.SchemaLength)
            throw Refuse($"is longer than {GrammarLimits.SchemaLength} characters");
        Check(schema, 0);
    }

    private static void Check(JsonElement element, int depth)
    {
        if (depth > Depth)
            throw Refuse($"nests more than {Depth} objects and arrays");
        switch (element.ValueKind)
        {
            case JsonValueKind.Array:
                foreach (JsonElement item in element.EnumerateArray())
                    Check(item, depth + 1);
                break;
            case JsonValueKind.Object:
                HashSet<string> names = new(StringComparer.Ordinal);
                foreach (JsonProperty member in element.EnumerateObject())
                {
                    string name = Text(() => member.Name);
                    if (!names.Add(name))
                        throw Refuse($"has the name \"{(name.Length <= 100 ? name : name[..100] + "…")}\" twice in one object");
                    Check(member.Value, depth + 1);
                }
                break;
            case JsonValueKind.String:
                Text(() => element.GetString()!);
                break;
        }
    }

    private static string Text(Func<string> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair, written as an escape: JSON's grammar allows it, Unicode does not.
            throw Refuse("has a text that is not valid Unicode");
        }
    }

    private static SchemaException Refuse(string message) => new(new SchemaError("#", "", message));
}
