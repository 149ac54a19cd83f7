using OllamaMax.Grammars.Gbnf;
using OllamaMax.Grammars.Schemas;
using OllamaMax.Grammars.Shapes;

namespace OllamaMax.Grammars.Writing;

/// <summary>
/// Writes an object: declared properties in the schema's order, then required ones that are not declared, then others. Optional ones may
/// be left out in any combination: for each place there is one rule for what may come next, and one for what may follow.
/// </summary>
internal sealed class ObjectWriter
{
    /// <summary>Required properties in a row are written in one line up to here.</summary>
    private const int LongestLine = 40;

    private readonly SchemaWriter _schemas;
    private readonly JsonRules _json;
    private readonly ObjectShape _shape;
    private readonly string _hint;
    private readonly (string Name, bool IsRequired)[] _properties;
    private readonly Expression _other;
    private readonly int _least;
    private readonly int? _most;

    public ObjectWriter(SchemaWriter schemas, JsonRules json, SchemaSet set, ObjectShape shape, string hint)
    {
        (_schemas, _json, _shape, _hint) = (schemas, json, shape, hint);
        HashSet<string> required = new(shape.Required, StringComparer.Ordinal);
        _properties = [.. shape.Rules.SelectMany(rule => rule.Declared).Select(property => property.Key).Concat(shape.Required)
            .Distinct(StringComparer.Ordinal).Select(name => (name, required.Contains(name)))];
        _other = new OtherProperties(schemas, json, set, shape, [.. _properties.Select(property => property.Name)], hint).Write();
        // Counts that always hold need no counting.
        _least = shape.Least <= required.Count ? 0 : shape.Least;
        _most = Expression.IsNever(_other) && shape.Most >= _properties.Length ? null : shape.Most;
        // Two others may have the same name, which makes them one; so more than one of them proves nothing.
        if (_least > _properties.Length + 1)
            throw set.Nodes[0].Refuse("minProperties", "asks for more properties than are named: a grammar does not remember names");
    }

    public Expression Write()
    {
        if (_most == 0)
            return _properties.Any(property => property.IsRequired) ? Expression.Never : _json.Nothing("{", "}");
        // Up to here it matters how many there are already.
        int highest = _most ?? Math.Max(1, _least);
        Expression[] after = [.. Enumerable.Range(0, highest + 1).Select(count => AfterDeclared(count))];
        Expression[] next = [.. Enumerable.Range(0, highest + 1).Select(count => Others(count))];
        bool mayEnd = true;
        for (int i = _properties.Length - 1; i >= 0; i--)
        {
            (string name, bool isRequired) = _properties[i];
            mayEnd &= !isRequired;
            Expression member = _json.Member(Expression.Text(CanonicalJson.Of(name)), ValueOf(name));
            for (int count = 0; count <= highest; count++)
            {
                Expression with = count == _most ? Expression.Never : Expression.All(member, after[Math.Min(count + 1, highest)]);
                next[count] = Named(i, isRequired ? with : Expression.Any(with, next[count]));
            }
            for (int count = 0; count <= highest; count++)
                after[count] = Named(i, After(next[count], count, mayEnd));
        }
        return mayEnd && _least == 0
            ? Expression.All(Expression.Text("{"), _json.Space, Expression.Optional(Expression.All(next[0], _json.Space)), Expression.Text("}"))
            : _json.Enclosed("{", next[0], "}");
    }

    private Expression After(Expression next, int count, bool mayEnd)
    {
        Expression more = count == _most || Expression.IsNever(next) ? Expression.Never : _json.Comma(next);
        if (!mayEnd || count < _least)
            return more;
        return Expression.Optional(more);
    }

    private Expression AfterDeclared(int count) => After(Others(count), count, mayEnd: true);

    /// <summary>At least one of the others.</summary>
    private Expression Others(int count) => _least - count > 1 || count == _most
        ? Expression.Never
        : Expression.All(_other, _schemas.Grammar.Repeat(_json.Comma(_other), 0, _most - count - 1));

    /// <summary>What only one place leads to is written there; the rest has a rule.</summary>
    private Expression Named(int index, Expression meaning)
    {
        bool isSingle = _properties.Take(index + 1).All(property => property.IsRequired) && (index + 1) % LongestLine != 0;
        return isSingle || Expression.IsNever(meaning) || meaning is Expression.Reference || meaning == Expression.Empty
            ? meaning
            : Expression.Of(_schemas.Grammar.Add(_hint, meaning));
    }

    private Expression ValueOf(string name) =>
        _schemas.ValueOf(_shape.Rules.Aggregate(SchemaSet.Anything, (set, rule) => set.And(rule.For(name))));
}
