using OllamaMax.Grammars.Shapes;

namespace OllamaMax.Jobs;

/// <summary>JSON's types that a value may be of.</summary>
[Flags]
public enum ArgumentTypes
{
    None = 0,
    Objects = 1 << (int)JsonKind.Object,
    Arrays = 1 << (int)JsonKind.Array,
    Texts = 1 << (int)JsonKind.String,
    Numbers = 1 << (int)JsonKind.Number,
    Booleans = 1 << (int)JsonKind.Boolean,
    Nulls = 1 << (int)JsonKind.Null,
    Any = Objects | Arrays | Texts | Numbers | Booleans | Nulls,
}
