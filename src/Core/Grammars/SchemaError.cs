namespace OllamaMax.Grammars;

/// <summary>Why a schema has no grammar.</summary>
/// <param name="Location">The schema within the document, as a JSON pointer in a URI fragment (RFC 6901, section 6): <c>#/properties/name</c>.</param>
/// <param name="Keyword">The keyword there; empty where the schema as a whole is meant.</param>
/// <param name="Message">What is wrong with it, or what may stand there instead.</param>
public sealed record SchemaError(string Location, string Keyword, string Message)
{
    public override string ToString() => Keyword.Length == 0 ? $"{Location}: {Message}" : $"{Location}: \"{Keyword}\" {Message}";
}
