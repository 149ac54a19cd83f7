using System.Text.Json;
using OllamaMax.Grammars.Schemas;

namespace OllamaMax.Grammars.Shapes;

internal sealed class ArrayKeywords(SchemaDocument document, SchemaNode node)
{
    public ArrayShape Read()
    {
        SchemaFields fields = new(node);
        (int? least, int? most) = (fields.Count("minItems"), fields.Count("maxItems"));
        if (!ShapeMerger.IsRange(least ?? 0, most))
            throw node.Refuse("maxItems", "is less than minItems");
        bool isUnique = fields.Flag("uniqueItems") == true;
        if (isUnique && most is not (0 or 1))
            throw node.Refuse("uniqueItems", "is not supported: a grammar does not remember what was written");
        bool isSpokenOf = fields.Has("items", "prefixItems", "minItems", "maxItems") || isUnique;
        return new ArrayShape { Least = least ?? 0, Most = most, Rules = ReadRules(fields), IsSpokenOf = isSpokenOf };
    }

    private IReadOnlyList<ArrayRule> ReadRules(SchemaFields fields)
    {
        if (fields.Find("items") is { ValueKind: JsonValueKind.Array })
            throw node.Refuse("items", "must be one schema: for items one by one write prefixItems");
        SchemaSet[] first = [.. fields.Items("prefixItems").Select((item, i) => SchemaSet.Of(document.Child(node, item, "prefixItems", $"{i}")))];
        if (first.Length > GrammarLimits.PrefixItems)
            throw node.Refuse("prefixItems", $"has more than {GrammarLimits.PrefixItems} items");
        SchemaSet? others = fields.Find("items") is { } items ? SchemaSet.Of(document.Child(node, items, "items")) : null;
        return first.Length == 0 && others is null ? [] : [new(first, others ?? SchemaSet.Anything)];
    }
}
