using System.Text.Json;
using OllamaMax.Grammars.Numbers;

namespace OllamaMax.Grammars.Schemas;

/// <summary>Reads the values of one schema's keywords. One that is not what it should be is refused.</summary>
internal readonly struct SchemaFields(SchemaNode node)
{
    public bool Has(params ReadOnlySpan<string> keywords)
    {
        foreach (string keyword in keywords)
        {
            if (Find(keyword) is not null)
                return true;
        }
        return false;
    }

    public JsonElement? Find(string keyword) =>
        node.Element.ValueKind == JsonValueKind.Object && node.Element.TryGetProperty(keyword, out JsonElement value) ? value : null;

    public string? Text(string keyword)
    {
        if (Find(keyword) is not { } value)
            return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw node.Refuse(keyword, "must be a string");
    }

    public bool? Flag(string keyword)
    {
        if (Find(keyword) is not { } value)
            return null;
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw node.Refuse(keyword, "must be a boolean");
    }

    public ExactNumber? Number(string keyword)
    {
        if (Find(keyword) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Number)
            throw node.Refuse(keyword, "must be a number");
        return ExactNumber.Parse(value.GetRawText())
            ?? throw node.Refuse(keyword, $"has more than {GrammarLimits.Digits} digits before or after the point");
    }

    public int? Count(string keyword)
    {
        if (Number(keyword) is not { } number)
            return null;
        if (number.Sign < 0 || !number.IsWhole)
            throw node.Refuse(keyword, "must be a whole number from 0");
        return number.Digits <= GrammarLimits.Count ? (int)number.Digits : throw node.Refuse(keyword, $"is more than {GrammarLimits.Count}");
    }

    public IReadOnlyList<string> Texts(string keyword)
    {
        JsonElement[] values = [.. Items(keyword)];
        return values.All(value => value.ValueKind == JsonValueKind.String)
            ? [.. values.Select(value => value.GetString()!).Distinct(StringComparer.Ordinal)]
            : throw node.Refuse(keyword, "must be an array of strings");
    }

    /// <summary>An array's; none where it is absent.</summary>
    public IEnumerable<JsonElement> Items(string keyword)
    {
        if (Find(keyword) is not { } value)
            return [];
        return value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : throw node.Refuse(keyword, "must be an array");
    }

    /// <summary>An object's; none where it is absent.</summary>
    public IEnumerable<JsonProperty> Members(string keyword)
    {
        if (Find(keyword) is not { } value)
            return [];
        return value.ValueKind == JsonValueKind.Object ? value.EnumerateObject() : throw node.Refuse(keyword, "must be an object");
    }
}
