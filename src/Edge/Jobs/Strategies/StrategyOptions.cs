using System.ComponentModel.DataAnnotations;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>Jobs with a strategy; from the configuration section <c>OllamaMax:Strategies</c>.</summary>
public sealed class StrategyOptions
{
    public const string Section = "OllamaMax:Strategies";

    /// <summary>Branches that one job may have; a request for more is refused, and so is a text that makes more parts.</summary>
    [Range(1, 10_000)]
    public int MaxBranches { get; set; } = 256;

    /// <summary>Branches of one job that are under way at a time. A race has all of its at once.</summary>
    [Range(1, 10_000)]
    public int MaxParallel { get; set; } = 32;

    /// <summary>Jobs that a branch gets beyond its first, should that fail. Each job is tried several times, on any worker, by itself.</summary>
    [Range(0, 10)]
    public int Retries { get; set; } = 1;
}
