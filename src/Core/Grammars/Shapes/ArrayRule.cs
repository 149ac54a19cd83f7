using OllamaMax.Grammars.Schemas;

namespace OllamaMax.Grammars.Shapes;

/// <summary>What one schema says about an array's items.</summary>
/// <param name="First">For the first items, one by one.</param>
/// <param name="Others">For the others.</param>
internal sealed record ArrayRule(IReadOnlyList<SchemaSet> First, SchemaSet Others)
{
    public SchemaSet For(int index) => index < First.Count ? First[index] : Others;
}
