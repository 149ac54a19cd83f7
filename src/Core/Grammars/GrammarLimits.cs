namespace OllamaMax.Grammars;

/// <summary>
/// What one schema may cost. A grammar's size is the worker's time for every token, so a schema that would make a huge one is refused.
/// </summary>
internal static class GrammarLimits
{
    /// <summary>Characters of the schema's own text.</summary>
    public const int SchemaLength = 256 * 1024;

    /// <summary>Schemas within schemas, references not followed.</summary>
    public const int Depth = 64;

    /// <summary>Schemas that are one value's, through $ref, allOf, anyOf and oneOf: what follows them recurses as deep.</summary>
    public const int References = 200;

    /// <summary>Values within values that are compared to tell two branches of oneOf apart.</summary>
    public const int Comparisons = 30;

    /// <summary>Ways in which one value may be formed, after anyOf, oneOf and allOf are multiplied out.</summary>
    public const int Alternatives = 200;

    /// <summary>States of one automaton: a pattern, a range of numbers.</summary>
    public const int States = 2_000;

    /// <summary>Characters of all constants of one value, or of an object's names, less those that they begin with in common.</summary>
    public const int TextStates = 20_000;

    /// <summary>Values of one enum.</summary>
    public const int Constants = 2_000;

    /// <summary>Pattern properties of one object: which of them match makes two to the power of this many cases.</summary>
    public const int PatternProperties = 4;

    /// <summary>Each is a bracket within the one before, and the engine reads no more than 128 of those.</summary>
    public const int PrefixItems = 100;

    /// <summary>Digits of a bound, before and after the point.</summary>
    public const int Digits = 40;

    /// <summary>The largest minLength, maxItems and so on.</summary>
    public const int Count = 1_000_000;

    /// <summary>States of a pattern before it is made deterministic.</summary>
    public const int PatternStates = 5_000;

    /// <summary>States of a pattern, counted again for every deterministic state that they are part of.</summary>
    public const int PatternWork = 500_000;

    /// <summary>Groups within groups in a pattern.</summary>
    public const int PatternDepth = 50;

    /// <summary>Different values, by what they must satisfy.</summary>
    public const int Values = 5_000;

    /// <summary>Rules of the grammar; the engine reads 4,096.</summary>
    public const int Rules = 4_000;

    /// <summary>Characters of the grammar.</summary>
    public const int GrammarLength = 1024 * 1024;
}
