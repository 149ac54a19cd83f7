using System.Collections.Immutable;
using System.Text.Json;
using OllamaMax.Grammars.Numbers;
using OllamaMax.Grammars.Schemas;

namespace OllamaMax.Grammars.Shapes;

/// <summary>Whether a given value satisfies a shape: for const and enum beside other keywords.</summary>
internal sealed class ValueCheck(ShapeReader reader)
{
    public bool Accepts(Shape shape, JsonElement value, ImmutableHashSet<SchemaNode> path)
    {
        if (shape is ConstantShape constant)
            return JsonElement.DeepEquals(constant.Value, value);
        if (shape.Kind != new ConstantShape(value).Kind)
            return false;
        return shape switch
        {
            NumberShape number => ExactNumber.Parse(value.GetRawText()) is { } exact && number.Range.Contains(exact),
            StringShape text => Accepts(text, value.GetString()!),
            ArrayShape array => Accepts(array, value, path),
            ObjectShape @object => Accepts(@object, value, path),
            _ => true,
        };
    }

    private static bool Accepts(StringShape shape, string text)
    {
        int length = text.EnumerateRunes().Count();
        return length >= shape.Least && (shape.Most is not { } most || length <= most) && shape.Texts.All(texts => texts.Contains(text));
    }

    private bool Accepts(ArrayShape shape, JsonElement value, ImmutableHashSet<SchemaNode> path)
    {
        int length = value.GetArrayLength();
        return length >= shape.Least && (shape.Most is not { } most || length <= most)
            && value.EnumerateArray().Index().All(item => shape.Rules.All(rule => Accepts(rule.For(item.Index), item.Item, path)));
    }

    private bool Accepts(ObjectShape shape, JsonElement value, ImmutableHashSet<SchemaNode> path)
    {
        int count = value.GetPropertyCount();
        return count >= shape.Least && (shape.Most is not { } most || count <= most)
            && shape.Required.All(name => value.TryGetProperty(name, out _))
            && value.EnumerateObject().All(member => shape.Rules.All(rule => Accepts(rule.For(member.Name), member.Value, path)));
    }

    private bool Accepts(SchemaSet set, JsonElement value, ImmutableHashSet<SchemaNode> path) =>
        reader.Read(set, path).Any(shape => Accepts(shape, value, path));
}
