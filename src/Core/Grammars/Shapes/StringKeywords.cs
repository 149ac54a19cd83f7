using OllamaMax.Grammars.Automata;
using OllamaMax.Grammars.Numbers;
using OllamaMax.Grammars.Patterns;
using OllamaMax.Grammars.Schemas;

namespace OllamaMax.Grammars.Shapes;

internal static class StringKeywords
{
    public static StringShape Read(SchemaNode node)
    {
        SchemaFields fields = new(node);
        (int? least, int? most) = (fields.Count("minLength"), fields.Count("maxLength"));
        if (!ShapeMerger.IsRange(least ?? 0, most))
            throw node.Refuse("maxLength", "is less than minLength");
        List<Automaton> texts = [];
        if (fields.Text("pattern") is { } pattern)
            texts.Add(ReadPattern(node, "pattern", pattern));
        string? format = fields.Text("format");
        bool isOfNumbers = format is not null && NumberFormats.IsKnown(format);
        if (format is not null && !isOfNumbers)
        {
            texts.Add(StringFormats.Find(format)
                ?? throw node.Refuse("format", $"is none of these: {StringFormats.Names}; for numbers int32, int64 and so on, float, double"));
        }
        bool isSpokenOf = least is not null || most is not null || texts.Count > 0;
        return new StringShape { Least = least ?? 0, Most = most, Texts = texts, IsSpokenOf = isSpokenOf };
    }

    public static Automaton ReadPattern(SchemaNode node, string keyword, string pattern)
    {
        try
        {
            return PatternAutomaton.Of(pattern);
        }
        catch (PatternException error)
        {
            throw node.Refuse(keyword, error.Message);
        }
        catch (AutomatonTooLargeException)
        {
            throw node.Refuse(keyword, $"needs more than {GrammarLimits.States} states: bound what it repeats, or begin it with ^");
        }
    }
}
