using OllamaMax.Grammars.Automata;
using OllamaMax.Grammars.Gbnf;
using OllamaMax.Grammars.Numbers;
using OllamaMax.Grammars.Schemas;
using OllamaMax.Grammars.Shapes;

namespace OllamaMax.Grammars.Writing;

/// <summary>Writes a value that has one of several shapes.</summary>
internal sealed class ShapeWriter(SchemaWriter schemas)
{
    private readonly JsonRules _json = new(schemas.Grammar);

    /// <param name="set">Where the shapes come from, for errors.</param>
    /// <param name="hint">What the names of new rules begin with.</param>
    public Expression Write(SchemaSet set, IReadOnlyList<Shape> shapes, string hint)
    {
        if (shapes.SequenceEqual(KeywordReader.Anything))
            return _json.Value;
        IEnumerable<Expression> ways = shapes.Where(shape => shape is not ConstantShape).Select(shape => Write(set, shape, hint))
            .Append(WriteConstants(set, [.. shapes.OfType<ConstantShape>()], hint));
        return Expression.Any(ways.Where(way => !Expression.IsNever(way)));
    }

    private Expression Write(SchemaSet set, Shape shape, string hint) => shape switch
    {
        ObjectShape @object => new ObjectWriter(schemas, _json, set, @object, hint).Write(),
        ArrayShape array => new ArrayWriter(schemas, _json, array).Write(),
        StringShape text => WriteText(set, text, hint),
        NumberShape number => WriteNumber(set, number, hint),
        _ => shape.Kind == JsonKind.Null ? JsonRules.Null : _json.Boolean,
    };

    private Expression WriteText(SchemaSet set, StringShape shape, string hint)
    {
        try
        {
            if (StringTexts.Of(shape) is { } texts)
                return _json.Quoted(texts, hint);
        }
        catch (AutomatonTooLargeException)
        {
            throw Refuse(set, shape.Texts.Count > 1
                ? $"needs more than {GrammarLimits.States} states for its patterns, formats and lengths together"
                : $"needs more than {GrammarLimits.States} states for its pattern or format with its length");
        }
        return (shape.Least, shape.Most) is (0, null)
            ? _json.String
            : JsonRules.Quoted(schemas.Grammar.Repeat(_json.Character, shape.Least, shape.Most));
    }

    private Expression WriteNumber(SchemaSet set, NumberShape shape, string hint)
    {
        if (shape.Range == NumberRange.All)
            return _json.Number;
        if (shape.Range == new NumberRange { Step = ExactNumber.One })
            return _json.Integer;
        try
        {
            return _json.Plain(NumberAutomaton.Of(shape.Range), hint);
        }
        catch (AutomatonTooLargeException)
        {
            throw Refuse(set, $"needs more than {GrammarLimits.States} states for its multipleOf with its bounds");
        }
    }

    private Expression WriteConstants(SchemaSet set, ConstantShape[] constants, string hint)
    {
        if (constants.Length == 0)
            return Expression.Never;
        string[] texts = [.. constants.Select(constant => CanonicalJson.Of(constant.Value)).Distinct(StringComparer.Ordinal)];
        try
        {
            return texts.Length == 1 ? Expression.Text(texts[0]) : _json.Plain(Automaton.Texts(texts), hint);
        }
        catch (AutomatonTooLargeException)
        {
            throw Refuse(set, $"has constants of more than {GrammarLimits.TextStates} characters together");
        }
    }

    private static SchemaException Refuse(SchemaSet set, string message) => set.Nodes[0].Refuse("", message);
}
