namespace OllamaMax.Grammars.Shapes;

/// <summary>What satisfies two shapes at once. Constants are decided by <see cref="ValueCheck"/> and do not come here.</summary>
internal static class ShapeMerger
{
    /// <returns>Null where nothing satisfies both.</returns>
    public static Shape? Merge(Shape first, Shape second)
    {
        if (first.Kind != second.Kind)
            return null;
        Shape? merged = (first, second) switch
        {
            (NumberShape one, NumberShape two) => Merge(one, two),
            (StringShape one, StringShape two) => Merge(one, two),
            (ArrayShape one, ArrayShape two) => Merge(one, two),
            (ObjectShape one, ObjectShape two) => Merge(one, two),
            _ => first,
        };
        return merged is null ? null : merged with { IsSpokenOf = first.IsSpokenOf || second.IsSpokenOf };
    }

    public static bool IsRange(int least, int? most) => most is null || least <= most;

    private static NumberShape? Merge(NumberShape one, NumberShape two) =>
        one.Range.Intersect(two.Range) is { IsEmpty: false } range ? new NumberShape(range) : null;

    private static StringShape? Merge(StringShape one, StringShape two)
    {
        (int least, int? most) = (Math.Max(one.Least, two.Least), Lower(one.Most, two.Most));
        return IsRange(least, most) ? new StringShape { Least = least, Most = most, Texts = [.. one.Texts.Union(two.Texts)] } : null;
    }

    private static ArrayShape? Merge(ArrayShape one, ArrayShape two)
    {
        (int least, int? most) = (Math.Max(one.Least, two.Least), Lower(one.Most, two.Most));
        return IsRange(least, most) ? new ArrayShape { Least = least, Most = most, Rules = [.. one.Rules, .. two.Rules] } : null;
    }

    private static ObjectShape? Merge(ObjectShape one, ObjectShape two)
    {
        (int least, int? most) = (Math.Max(one.Least, two.Least), Lower(one.Most, two.Most));
        return IsRange(least, most)
            ? new ObjectShape { Least = least, Most = most, Rules = [.. one.Rules, .. two.Rules], Required = [.. one.Required.Union(two.Required)] }
            : null;
    }

    private static int? Lower(int? one, int? two) => one is { } first && two is { } second ? Math.Min(first, second) : one ?? two;
}
