using System.Globalization;
using System.Text.Json.Nodes;

namespace OllamaMax.Inference.Tests.Grammars;

/// <summary>Draws schemas of all the keywords that have a grammar, nested and combined.</summary>
internal sealed class SchemaGenerator(Random random)
{
    private static readonly string[] s_patterns =
    [
        "^[a-z]{2,5}$", "foo", "^a|b$", "^(?:ab|cd)+?x*$", "^\\d{3}-\\w+\\s?$", "[^\"\\\\\\d]$", "^.{0,9}$", "\\/\\.[\\n\\t\"]", "^$", "^[^a]*$", "^é+|[à-ü]{2}$", "a.*b.*c",
        "^(?<year>[12]\\d{3})(?:-[01]\\d)?$", "^\\S+$", "^\\D\\W$", "^(a|b)*abb$", "\\u0041[\\x42-\\u0044]", "^[\\]\\[^-]+$", "^(|x|(y{2,})?)$",
    ];

    private static readonly string[] s_formats =
    [
        "date", "time", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri", "uri-reference", "json-pointer", "relative-json-pointer", "iri",
    ];

    private static readonly string[] s_names = ["a", "ab", "b", "kind", "na\"me", "ü", "x y"];

    private static readonly string[] s_numbers = ["0", "1", "-1", "7", "-7", "10", "99", "100", "-0.5", "0.25", "3.75", "-12.125", "1e2", "123456", "-100000", "2.5e-3"];

    private static readonly string[] s_constants =
    [
        "null", "true", "false", "0", "-1.50", "1e3", "\"\"", "\"a\"", "\"ab\"", "\"q\\\"\\\\\\n\\u0001é😀\"", "[]", "{}", "[1,\"x\",null]", "{\"a\":{\"b\":[true]},\"c d\":1}",
    ];

    public static JsonObject Draw(Random random)
    {
        SchemaGenerator generator = new(random);
        JsonObject schema = generator.Schema(3);
        schema["$defs"] = new JsonObject { ["one"] = generator.Object(2), ["two"] = generator.Tree() };
        return schema;
    }

    private JsonObject Schema(int depth) => random.Next(depth > 0 ? 16 : 8) switch
    {
        0 => Text(),
        1 => Lengths("string", "minLength", "maxLength", 12),
        2 => Number("integer"),
        3 => Number("number"),
        4 => new JsonObject { ["type"] = One("boolean", "null") },
        5 => new JsonObject { ["enum"] = Constants(random.Next(1, 6)) },
        6 => new JsonObject { ["const"] = Constant() },
        7 => new JsonObject { ["type"] = new JsonArray("string", "null", "integer"), ["maxLength"] = 3, ["minimum"] = 5 },
        8 or 9 => Object(depth),
        10 => Array(depth),
        11 => new JsonObject { ["anyOf"] = Several(() => Schema(depth - 1)) },
        12 => Union(depth),
        13 => new JsonObject { ["allOf"] = Several(() => Object(depth - 1)) },
        14 => new JsonObject { ["$ref"] = One("#/$defs/one", "#/$defs/two"), ["description"] = "a reference" },
        _ => Beside(depth),
    };

    private JsonObject Text()
    {
        JsonObject schema = random.Next(2) == 0 ? new() { ["type"] = "string", ["pattern"] = One(s_patterns) } : new() { ["format"] = One(s_formats) };
        if (random.Next(4) == 0)
            schema["maxLength"] = random.Next(1, 30);
        return schema;
    }

    private JsonObject Lengths(string type, string least, string most, int highest)
    {
        JsonObject schema = new() { ["type"] = type };
        int from = random.Next(highest);
        if (random.Next(2) == 0)
            schema[least] = from;
        if (random.Next(2) == 0)
            schema[most] = random.Next(from, highest + 1);
        return schema;
    }

    private JsonObject Number(string type)
    {
        JsonObject schema = new() { ["type"] = type };
        double[] bounds = [.. new[] { One(s_numbers), One(s_numbers) }.Select(number => double.Parse(number, CultureInfo.InvariantCulture)).Order()];
        if (random.Next(3) > 0)
            schema[One("minimum", "exclusiveMinimum")] = bounds[0];
        if (random.Next(3) > 0)
            schema[One("maximum", "exclusiveMaximum")] = bounds[1];
        if (random.Next(4) == 0)
            schema["multipleOf"] = JsonNode.Parse(type == "integer" ? One("1", "3", "5", "10") : One("0.01", "0.5", "2"));
        return schema;
    }

    private JsonObject Object(int depth)
    {
        JsonObject schema = new() { ["type"] = "object" };
        string[] names = Some(s_names);
        JsonObject properties = [];
        foreach (string name in names)
            properties[name] = Schema(depth - 1);
        if (names.Length > 0)
            schema["properties"] = properties;
        schema["required"] = new JsonArray([.. Some(names).Select(name => (JsonNode)name)]);
        if (random.Next(2) == 0)
            schema["additionalProperties"] = random.Next(3) == 0 ? false : random.Next(2) == 0 ? true : Schema(depth - 1);
        if (random.Next(5) == 0)
            schema["patternProperties"] = new JsonObject { [One("^x-", "b$", "^[a-c]{1,3}$")] = Schema(depth - 1) };
        if (random.Next(6) == 0)
            schema["minProperties"] = random.Next(3);
        if (random.Next(6) == 0)
            schema["maxProperties"] = random.Next(2, 5);
        return schema;
    }

    private JsonObject Array(int depth)
    {
        JsonObject schema = Lengths("array", "minItems", "maxItems", 4);
        if (random.Next(3) == 0)
            schema["prefixItems"] = Several(() => Schema(depth - 1));
        if (random.Next(3) > 0)
            schema["items"] = random.Next(6) == 0 ? false : Schema(depth - 1);
        return schema;
    }

    /// <summary>Branches that a constant tells apart, whether it is required or not.</summary>
    private JsonObject Union(int depth)
    {
        JsonArray branches = [];
        foreach (string kind in (string[])["one", "two", "three"])
        {
            JsonObject branch = Object(depth - 1);
            branch["properties"] = new JsonObject { ["kind"] = new JsonObject { ["const"] = kind }, ["value"] = Schema(depth - 1) };
            branch["required"] = random.Next(2) == 0 ? new JsonArray("kind") : [];
            branches.Add((JsonNode)branch);
        }
        return new JsonObject { ["oneOf"] = branches };
    }

    /// <summary>Keywords beside anyOf, which hold as well.</summary>
    private JsonObject Beside(int depth)
    {
        JsonObject schema = Object(depth);
        schema["anyOf"] = new JsonArray(
            new JsonObject { ["required"] = new JsonArray(One(s_names)) },
            new JsonObject { ["properties"] = new JsonObject { [One(s_names)] = Schema(depth - 1) }, ["maxProperties"] = 4 });
        return schema;
    }

    private JsonObject Tree() => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject { ["value"] = Schema(0), ["children"] = new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["$ref"] = "#/$defs/two" } } },
        ["required"] = new JsonArray(Some(["value", "children"]).Select(name => (JsonNode)name).ToArray()),
        ["additionalProperties"] = false,
    };

    private JsonArray Several(Func<JsonObject> draw) => [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => draw())];

    private JsonArray Constants(int count) => [.. Enumerable.Range(0, count).Select(_ => Constant())];

    private JsonNode? Constant() => JsonNode.Parse(One(s_constants));

    private string One(params string[] values) => values[random.Next(values.Length)];

    private string[] Some(string[] values) => [.. values.Where(_ => random.Next(3) == 0)];
}
