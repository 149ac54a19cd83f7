namespace OllamaMax.Grammars.Numbers;

/// <summary>Which numbers a value may be. A step of one makes them whole.</summary>
internal sealed record NumberRange
{
    public static NumberRange All { get; } = new();

    public Bound? Least { get; init; }

    public Bound? Most { get; init; }

    /// <summary>What they must be a multiple of; above zero.</summary>
    public ExactNumber? Step { get; init; }

    public bool IsEmpty => Least is { } least && Most is { } most && least.Value.CompareTo(most.Value) is var order
        && (order > 0 || (order == 0 && (least.IsExclusive || most.IsExclusive)));

    public bool IsWhole => Step is { IsWhole: true };

    public bool Contains(ExactNumber number) =>
        (Least is not { } least || number.CompareTo(least.Value) is var above && (above > 0 || (above == 0 && !least.IsExclusive)))
        && (Most is not { } most || number.CompareTo(most.Value) is var below && (below < 0 || (below == 0 && !most.IsExclusive)))
        && (Step is not { } step || number.IsMultipleOf(step));

    public NumberRange Intersect(NumberRange other) => new()
    {
        Least = Tighter(Least, other.Least, sign: 1),
        Most = Tighter(Most, other.Most, sign: -1),
        Step = Step is { } mine && other.Step is { } theirs ? mine.LeastCommonMultiple(theirs) : Step ?? other.Step,
    };

    private static Bound? Tighter(Bound? first, Bound? second, int sign)
    {
        if (first is not { } one || second is not { } two)
            return first ?? second;
        int order = one.Value.CompareTo(two.Value) * sign;
        return order != 0 ? (order > 0 ? one : two) : one with { IsExclusive = one.IsExclusive || two.IsExclusive };
    }

    public readonly record struct Bound(ExactNumber Value, bool IsExclusive);
}
