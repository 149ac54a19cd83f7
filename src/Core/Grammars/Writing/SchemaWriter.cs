using OllamaMax.Grammars.Gbnf;
using OllamaMax.Grammars.Schemas;
using OllamaMax.Grammars.Shapes;

namespace OllamaMax.Grammars.Writing;

/// <summary>
/// Writes the rules for a schema. What must satisfy the same schemas is one rule, so recursion ends, and what stands in an object or an
/// array is written later, so that depth costs no stack.
/// </summary>
internal sealed class SchemaWriter
{
    private readonly ShapeReader _reader;
    private readonly ShapeWriter _shapes;
    private readonly Dictionary<SchemaSet, Expression> _values = [];
    private readonly Queue<(SchemaSet Set, GrammarRule Rule)> _open = new();

    public SchemaWriter(SchemaDocument document)
    {
        _reader = new ShapeReader(document);
        _shapes = new ShapeWriter(this);
        // First of all, so that nothing else has its name.
        Root = Grammar.Add("root");
        Root.Meaning = ValueOf(SchemaSet.Of(document.Root));
        while (_open.TryDequeue(out (SchemaSet Set, GrammarRule Rule) next))
        {
            next.Rule.Meaning = _shapes.Write(next.Set, Meant(next.Set), next.Rule.Name);
            if (Grammar.Rules.Count > GrammarLimits.Rules)
                throw document.Root.Refuse("", $"needs more than {GrammarLimits.Rules} rules");
        }
    }

    public Grammar Grammar { get; } = new();

    public GrammarRule Root { get; }

    /// <summary>A value that satisfies these schemas; none where nothing does.</summary>
    public Expression ValueOf(SchemaSet set)
    {
        if (_values.TryGetValue(set, out Expression? known))
            return known;
        IReadOnlyList<Shape> shapes = Meant(set);
        if (shapes.Any(shape => shape is ObjectShape or ArrayShape) && !shapes.SequenceEqual(KeywordReader.Anything))
        {
            GrammarRule rule = Grammar.Add(Hint(set));
            _open.Enqueue((set, rule));
            return _values[set] = Expression.Of(rule);
        }
        Expression meaning = _shapes.Write(set, shapes, Hint(set));
        bool isShort = meaning is Expression.Reference or Expression.Literal || Expression.IsNever(meaning);
        return _values[set] = isShort ? meaning : Expression.Of(Grammar.Add(Hint(set), meaning));
    }

    /// <summary>Where a schema speaks of some types, the others are left out (<see cref="Shape.IsSpokenOf"/>).</summary>
    private IReadOnlyList<Shape> Meant(SchemaSet set)
    {
        IReadOnlyList<Shape> shapes = _reader.Read(set);
        return shapes.Any(shape => shape.IsSpokenOf) ? [.. shapes.Where(shape => shape.IsSpokenOf)] : shapes;
    }

    /// <summary>A name for people who read the grammar: the property, and what it stands in.</summary>
    private static string Hint(SchemaSet set)
    {
        string[] names = [.. set.Nodes.Count == 0 ? [] : set.Nodes[0].Location.Split('/').Where(
            name => name is not ("#" or "properties" or "$defs" or "definitions" or "anyOf" or "oneOf" or "allOf"))];
        return string.Join('-', names.TakeLast(2));
    }
}
