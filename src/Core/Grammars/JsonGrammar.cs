using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using OllamaMax.Grammars.Gbnf;
using OllamaMax.Grammars.Schemas;
using OllamaMax.Grammars.Writing;

namespace OllamaMax.Grammars;

/// <summary>
/// Grammars in llama.cpp's language (GBNF; the first rule is <c>root</c>) for answers in JSON. Whatever a grammar leads to is valid JSON and
/// satisfies its schema; not all that satisfies the schema is led to: whitespace, digits and properties that the schema does not speak
/// of are bounded (docs/constrained-output.md).
/// </summary>
public static class JsonGrammar
{
    /// <summary>Any JSON object: Ollama's <c>format: "json"</c>.</summary>
    public static string AnyObject { get; } = WriteAnyObject();

    /// <summary>The grammar for a JSON Schema (draft 2020-12).</summary>
    /// <param name="error">What is wrong with the schema, or which part of it no grammar can say. Nothing is ignored.</param>
    public static bool TryFromSchema(JsonElement schema, [NotNullWhen(true)] out string? grammar, [NotNullWhen(false)] out SchemaError? error)
    {
        try
        {
            (grammar, error) = (FromSchema(schema), null);
            return true;
        }
        catch (SchemaException refused)
        {
            (grammar, error) = (null, refused.Error);
            return false;
        }
    }

    private static string FromSchema(JsonElement schema)
    {
        SchemaCheck.Check(schema);
        SchemaDocument document = new(schema);
        SchemaWriter writer = new(document);
        if (!GrammarPruner.Prune(writer.Grammar.Rules).Contains(writer.Root))
            throw document.Root.Refuse("", "allows no value, or none that ends");
        return GbnfWriter.Write(writer.Root)
            ?? throw document.Root.Refuse("", $"makes a grammar of more than {GrammarLimits.Rules} rules or {GrammarLimits.GrammarLength} characters");
    }

    private static string WriteAnyObject()
    {
        Grammar grammar = new();
        GrammarRule root = grammar.Add("root");
        root.Meaning = new JsonRules(grammar).Object;
        return GbnfWriter.Write(root)!;
    }
}
