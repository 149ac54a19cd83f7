using System.Text.Json;
using OllamaMax.Grammars.Automata;
using OllamaMax.Grammars.Numbers;

namespace OllamaMax.Grammars.Shapes;

/// <summary>One way of forming a value: of one type, with what a value of that type must satisfy.</summary>
internal abstract record Shape(JsonKind Kind)
{
    /// <summary>
    /// Whether some keyword speaks of values of this type. Where a schema speaks of some types and names none, the others are
    /// allowed as well, by the letter; nobody means them, so no grammar leads there.
    /// </summary>
    public bool IsSpokenOf { get; init; }
}

/// <summary>Null, or either boolean.</summary>
internal sealed record PlainShape(JsonKind Kind) : Shape(Kind);

internal sealed record NumberShape(NumberRange Range) : Shape(JsonKind.Number);

/// <summary>Lengths are in Unicode scalar values, as JSON Schema counts.</summary>
internal sealed record StringShape() : Shape(JsonKind.String)
{
    public int Least { get; init; }

    public int? Most { get; init; }

    /// <summary>What its text must be in, all of them.</summary>
    public IReadOnlyList<Automaton> Texts { get; init; } = [];
}

internal sealed record ArrayShape() : Shape(JsonKind.Array)
{
    /// <summary>All hold.</summary>
    public IReadOnlyList<ArrayRule> Rules { get; init; } = [];

    public int Least { get; init; }

    public int? Most { get; init; }
}

internal sealed record ObjectShape() : Shape(JsonKind.Object)
{
    /// <summary>All hold.</summary>
    public IReadOnlyList<ObjectRule> Rules { get; init; } = [];

    public IReadOnlyList<string> Required { get; init; } = [];

    public int Least { get; init; }

    public int? Most { get; init; }
}

internal sealed record ConstantShape(JsonElement Value) : Shape(KindOf(Value))
{
    private static JsonKind KindOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => JsonKind.Object,
        JsonValueKind.Array => JsonKind.Array,
        JsonValueKind.String => JsonKind.String,
        JsonValueKind.Number => JsonKind.Number,
        JsonValueKind.True or JsonValueKind.False => JsonKind.Boolean,
        _ => JsonKind.Null,
    };
}
