using OllamaMax.Grammars.Gbnf;
using OllamaMax.Grammars.Schemas;
using OllamaMax.Grammars.Shapes;

namespace OllamaMax.Grammars.Writing;

/// <summary>Writes an array: the first items one by one, then the others.</summary>
internal sealed class ArrayWriter(SchemaWriter schemas, JsonRules json, ArrayShape shape)
{
    public Expression Write()
    {
        if (shape.Most == 0)
            return json.Nothing("[", "]");
        int first = shape.Rules.Select(rule => rule.First.Count).DefaultIfEmpty(0).Max();
        Expression rest = After(first);
        for (int index = first - 1; index > 0; index--)
            rest = Next(index, json.Comma(Item(index)), rest);
        Expression items = first > 0 ? Expression.All(Item(0), rest) : Others();
        return shape.Least > 0
            ? json.Enclosed("[", items, "]")
            : Expression.All(Expression.Text("["), json.Space, Expression.Optional(Expression.All(items, json.Space)), Expression.Text("]"));
    }

    private Expression Next(int index, Expression item, Expression rest)
    {
        if (index >= shape.Most)
            return Expression.Empty;
        Expression next = Expression.All(item, rest);
        return index < shape.Least ? next : Expression.Optional(next);
    }

    /// <summary>What follows the first items, each with its comma.</summary>
    private Expression After(int count) => count >= shape.Most
        ? Expression.Empty
        : schemas.Grammar.Repeat(json.Comma(Item(count)), Math.Max(0, shape.Least - count), shape.Most - count);

    /// <summary>At least one item, where none is apart from the others.</summary>
    private Expression Others() => Expression.All(Item(0), After(1));

    private Expression Item(int index) =>
        schemas.ValueOf(shape.Rules.Aggregate(SchemaSet.Anything, (set, rule) => set.And(rule.For(index))));
}
