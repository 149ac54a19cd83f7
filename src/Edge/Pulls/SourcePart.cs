using OllamaMax.Models.Gguf;

namespace OllamaMax.Edge.Pulls;

/// <summary>A file that is a GGUF, or one of those that are it together.</summary>
/// <param name="Address">Where it is.</param>
/// <param name="Digest">What it must hash to, where the source says so.</param>
internal sealed record SourcePart(Uri Address, string? Digest = null)
{
    /// <summary>All parts of a split model, of which the address is one's; of any other address that alone.</summary>
    public static IReadOnlyList<SourcePart> Of(Uri address) => GgufSplit.PartsOf(address.AbsolutePath) is { } paths
        ? [.. paths.Select(path => new SourcePart(new Uri($"{address.GetLeftPart(UriPartial.Authority)}{path}{address.Query}")))]
        : [new(address)];
}
