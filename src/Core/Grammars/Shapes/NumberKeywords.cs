using OllamaMax.Grammars.Numbers;
using OllamaMax.Grammars.Schemas;

namespace OllamaMax.Grammars.Shapes;

internal static class NumberKeywords
{
    public static NumberShape Read(SchemaNode node, bool isWhole)
    {
        SchemaFields fields = new(node);
        NumberRange range = isWhole ? new NumberRange { Step = ExactNumber.One } : NumberRange.All;
        range = range.Intersect(new NumberRange { Least = Bound(fields, "minimum", isExclusive: false), Most = Bound(fields, "maximum", isExclusive: false) });
        range = range.Intersect(new NumberRange
        {
            Least = Bound(fields, "exclusiveMinimum", isExclusive: true),
            Most = Bound(fields, "exclusiveMaximum", isExclusive: true),
        });
        if (fields.Number("multipleOf") is { } step)
        {
            if (step.Sign <= 0)
                throw node.Refuse("multipleOf", "must be above 0");
            range = range.Intersect(new NumberRange { Step = step });
        }
        if (NumberFormats.Find(fields.Text("format") ?? "") is { } format)
            range = range.Intersect(format);
        bool isSpokenOf = range != NumberRange.All || NumberFormats.IsKnown(fields.Text("format") ?? "");
        return new NumberShape(range) { IsSpokenOf = isSpokenOf };
    }

    private static NumberRange.Bound? Bound(SchemaFields fields, string keyword, bool isExclusive) =>
        fields.Number(keyword) is { } value ? new NumberRange.Bound(value, isExclusive) : null;
}
