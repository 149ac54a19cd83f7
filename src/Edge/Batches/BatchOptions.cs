using System.ComponentModel.DataAnnotations;

namespace OllamaMax.Edge.Batches;

/// <summary>Batches; from the configuration section <c>OllamaMax:Batches</c>.</summary>
public sealed class BatchOptions
{
    public const string Section = "OllamaMax:Batches";

    /// <summary>Lines that a batch may have; one with more fails.</summary>
    [Range(1, 1_000_000)]
    public int MaxLines { get; set; } = 50_000;

    /// <summary>Lines of one batch that are under way at a time: enough to fill the slots there are. Interactive requests go before them in any case.</summary>
    [Range(2, 10_000)]
    public int MaxParallel { get; set; } = 64;

    /// <summary>Lines that are written together.</summary>
    [Range(1, 1000)]
    public int PageLines { get; set; } = 100;
}
