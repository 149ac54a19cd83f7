using System.Text.Json;

namespace OllamaMax.Grammars.Schemas;

/// <summary>A schema at its place in the document; there is one of them for each place.</summary>
/// <param name="location">As in <see cref="SchemaError.Location"/>.</param>
/// <param name="depth">How many schemas it stands in.</param>
internal sealed class SchemaNode(string location, JsonElement element, int depth)
{
    public string Location => location;

    public JsonElement Element => element;

    public int Depth => depth;

    public SchemaException Refuse(string keyword, string message) => new(new SchemaError(location, keyword, message));

    public override string ToString() => location;
}
