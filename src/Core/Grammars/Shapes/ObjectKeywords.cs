using OllamaMax.Grammars.Automata;
using OllamaMax.Grammars.Schemas;

namespace OllamaMax.Grammars.Shapes;

internal sealed class ObjectKeywords(SchemaDocument document, SchemaNode node)
{
    public ObjectShape Read()
    {
        SchemaFields fields = new(node);
        (int? least, int? most) = (fields.Count("minProperties"), fields.Count("maxProperties"));
        if (!ShapeMerger.IsRange(least ?? 0, most))
            throw node.Refuse("maxProperties", "is less than minProperties");
        bool isSpokenOf = fields.Has("properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties");
        return new ObjectShape
        {
            Least = least ?? 0,
            Most = most,
            Required = fields.Texts("required"),
            Rules = fields.Has("properties", "additionalProperties", "patternProperties") ? [ReadRule(fields)] : [],
            IsSpokenOf = isSpokenOf,
        };
    }

    private ObjectRule ReadRule(SchemaFields fields)
    {
        KeyValuePair<string, SchemaSet>[] declared = [.. fields.Members("properties").Select(
            property => KeyValuePair.Create(property.Name, SchemaSet.Of(document.Child(node, property.Value, "properties", property.Name))))];
        if (fields.Members("patternProperties").Count() > GrammarLimits.PatternProperties)
            throw node.Refuse("patternProperties", $"has more than {GrammarLimits.PatternProperties} patterns");
        KeyValuePair<Automaton, SchemaSet>[] patterns = [.. fields.Members("patternProperties").Select(property => KeyValuePair.Create(
            StringKeywords.ReadPattern(node, "patternProperties", property.Name),
            SchemaSet.Of(document.Child(node, property.Value, "patternProperties", property.Name))))];
        SchemaSet? others = fields.Find("additionalProperties") is { } additional
            ? SchemaSet.Of(document.Child(node, additional, "additionalProperties"))
            : null;
        return new ObjectRule(declared, patterns, others);
    }
}
