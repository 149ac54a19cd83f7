using System.Text.Json;

namespace OllamaMax.Edge.Http;

/// <summary>
/// Reads the fields of one JSON object. A field that is absent or null reads as null; one that is not what it should be is noted in
/// the errors with its path and what it must be, and reads as null. Fields that nobody asks for are ignored but for <see cref="Only"/>.
/// </summary>
internal readonly struct JsonFields(JsonElement element, string path, FieldErrors errors)
{
    public FieldErrors Errors => errors;

    public JsonElement Element => element;

    /// <summary>
    /// The value, to live on. One that no writer takes is noted: half a surrogate pair, written as an escape, is JSON and no text, and would break
    /// whoever reads it later.
    /// </summary>
    public JsonElement Copy()
    {
        try
        {
            using Utf8JsonWriter trial = new(Stream.Null);
            element.WriteTo(trial);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            errors.Add(path.Length == 0 ? "request" : path, "must be valid Unicode text");
        }
        return element.Clone();
    }

    public string PathOf(string name) => path.Length == 0 ? name : $"{path}.{name}";

    public bool IsSet(string name) => Find(name) is not null;

    public string? Text(string name)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.String)
            return TextOf(value, PathOf(name));
        errors.Add(PathOf(name), "must be a string");
        return null;
    }

    public bool? Flag(string name)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return value.GetBoolean();
        errors.Add(PathOf(name), "must be a boolean");
        return null;
    }

    /// <summary>A whole number, written like one or not (40, 40.0, 4e1): clients' languages differ in that.</summary>
    public long? Integer(string name, long least = int.MinValue, long most = int.MaxValue)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Number)
            errors.Add(PathOf(name), "must be an integer");
        else if (!TryWhole(value, out long whole))
            errors.Add(PathOf(name), $"must be an integer from {least} to {most}");
        else if (whole < least || whole > most)
            errors.Add(PathOf(name), $"must be from {least} to {most}");
        else
            return whole;
        return null;
    }

    public float? Number(string name, float least = float.MinValue, float most = float.MaxValue)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Number)
            errors.Add(PathOf(name), "must be a number");
        else if (!value.TryGetDouble(out double number) || !(number >= least && number <= most))
            errors.Add(PathOf(name), $"must be from {least} to {most}");
        else
            return (float)number;
        return null;
    }

    public JsonFields? Object(string name)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Object)
            return new(value, PathOf(name), errors);
        errors.Add(PathOf(name), "must be an object");
        return null;
    }

    public IReadOnlyList<JsonFields> Objects(string name)
    {
        List<JsonFields> objects = [];
        string field = PathOf(name);
        foreach (JsonElement item in Items(name))
        {
            string itemPath = $"{field}[{objects.Count}]";
            if (item.ValueKind != JsonValueKind.Object)
                errors.Add(itemPath, "must be an object");
            objects.Add(new(item, itemPath, errors));
        }
        return objects;
    }

    public IReadOnlyList<string> Texts(string name)
    {
        List<string> texts = [];
        string field = PathOf(name);
        foreach (JsonElement item in Items(name))
        {
            string itemPath = $"{field}[{texts.Count}]";
            if (item.ValueKind != JsonValueKind.String)
                errors.Add(itemPath, "must be a string");
            texts.Add(item.ValueKind == JsonValueKind.String ? TextOf(item, itemPath) ?? "" : "");
        }
        return texts;
    }

    /// <summary>The elements of an array; none where it is absent.</summary>
    public IEnumerable<JsonElement> Items(string name)
    {
        if (Find(name) is not { } value)
            return [];
        if (value.ValueKind == JsonValueKind.Array)
            return value.EnumerateArray();
        errors.Add(PathOf(name), "must be an array");
        return [];
    }

    /// <summary>The names of all fields, for an object whose names are data.</summary>
    public IReadOnlyList<string> Names()
    {
        List<string> names = [];
        try
        {
            foreach (JsonProperty field in element.EnumerateObject())
                names.Add(field.Name);
        }
        catch (InvalidOperationException)
        {
            errors.Add(path.Length == 0 ? "request" : path, "has a field whose name is not valid Unicode");
        }
        return names;
    }

    /// <summary>Notes a field that is none of these: for calls where a mistyped one would be missed later, such as a limit that was never set.</summary>
    public void Only(params IReadOnlyCollection<string> known)
    {
        if (Names().FirstOrDefault(name => !known.Contains(name)) is { } unknown)
            errors.Add(PathOf(unknown), $"is none of the fields here: {string.Join(", ", known)}");
    }

    /// <summary>Any value, null where it is absent or null.</summary>
    public JsonElement? Find(string name)
    {
        if (element.ValueKind != JsonValueKind.Object)
            return null;
        try
        {
            return element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
        }
        catch (InvalidOperationException)
        {
            errors.Add(path.Length == 0 ? "request" : path, "has a field whose name is not valid Unicode");
            return null;
        }
    }

    private string? TextOf(JsonElement value, string field)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair, written as an escape: JSON's grammar allows it, Unicode does not.
            errors.Add(field, "must be valid Unicode text");
            return null;
        }
    }

    private static bool TryWhole(JsonElement value, out long whole)
    {
        if (value.TryGetInt64(out whole))
            return true;
        // Above 2^53 a double cannot tell which whole number was meant.
        if (!value.TryGetDouble(out double number) || number != Math.Floor(number) || Math.Abs(number) > 1L << 53)
            return false;
        whole = (long)number;
        return true;
    }
}
