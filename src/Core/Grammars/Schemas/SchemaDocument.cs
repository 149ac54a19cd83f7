using System.Globalization;
using System.Text.Json;

namespace OllamaMax.Grammars.Schemas;

/// <summary>Finds the schemas within a schema.</summary>
internal sealed class SchemaDocument
{
    private readonly Dictionary<string, SchemaNode> _nodes = new(StringComparer.Ordinal);

    public SchemaDocument(JsonElement schema) => Root = Add("#", schema, 0);

    public SchemaNode Root { get; }

    /// <param name="path">Where it stands within the parent, name by name.</param>
    public SchemaNode Child(SchemaNode parent, JsonElement element, params ReadOnlySpan<string> path)
    {
        string location = parent.Location;
        foreach (string name in path)
            location += "/" + name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
        if (parent.Depth == GrammarLimits.Depth)
            throw parent.Refuse(path[0], $"nests more than {GrammarLimits.Depth} schemas");
        return Add(location, element, parent.Depth + 1);
    }

    /// <summary>What <c>$ref</c> refers to: a place in this document, by a JSON pointer (RFC 6901).</summary>
    public SchemaNode Resolve(SchemaNode from, string reference)
    {
        if (!reference.StartsWith('#') || (reference.Length > 1 && reference[1] != '/'))
            throw from.Refuse("$ref", $"must refer to a place in this schema by \"#/…\"; nothing is fetched, and anchors are not supported");
        if (_nodes.TryGetValue(reference, out SchemaNode? known))
            return known;
        JsonElement at = Root.Element;
        string location = "#";
        foreach (string part in reference.Split('/').Skip(1))
        {
            string name = Uri.UnescapeDataString(part).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (!TryStep(at, name, out at))
                throw from.Refuse("$ref", $"refers to {Shortened(reference)}, which is not there");
            location += "/" + name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
        }
        return Add(location, at, 1);
    }

    private static string Shortened(string text) => text.Length <= 100 ? text : text[..100] + "…";

    private static bool TryStep(JsonElement at, string name, out JsonElement next)
    {
        next = default;
        if (at.ValueKind == JsonValueKind.Object)
            return at.TryGetProperty(name, out next);
        if (at.ValueKind != JsonValueKind.Array || !int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int index)
            || index >= at.GetArrayLength())
        {
            return false;
        }
        next = at[index];
        return true;
    }

    private SchemaNode Add(string location, JsonElement element, int depth)
    {
        if (!_nodes.TryGetValue(location, out SchemaNode? node))
            node = _nodes[location] = new SchemaNode(location, element, depth);
        return node;
    }
}
