namespace OllamaMax.Grammars;

/// <summary>Carries an error out of the depth of a schema; <see cref="JsonGrammar"/> makes a value of it.</summary>
internal sealed class SchemaException(SchemaError error) : Exception(error.ToString())
{
    public SchemaError Error => error;
}
