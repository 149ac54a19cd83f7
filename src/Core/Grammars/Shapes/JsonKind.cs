namespace OllamaMax.Grammars.Shapes;

/// <summary>JSON's types; whole numbers are numbers with a step of one.</summary>
internal enum JsonKind
{
    Object,
    Array,
    String,
    Number,
    Boolean,
    Null,
}
