using OllamaMax.Grammars.Shapes;

namespace OllamaMax.Jobs;

/// <summary>JSON's types that a value may be of.</summary>
[Flags]
public enum ArgumentTypes
{
    None = 0,
    Object = 1 << (int)JsonKind.Object,
    Array = 1 << (int)JsonKind.Array,
    Text = 1 << (int)JsonKind.String,
    Number = 1 << (int)JsonKind.Number,
    Boolean = 1 << (int)JsonKind.Boolean,
    Null = 1 << (int)JsonKind.Null,
    Any = Object | Array | Text | Number | Boolean | Null,
}
