using OllamaMax.Cluster;

namespace OllamaMax.Placement;

/// <summary>Where jobs may run, and who chooses among those workers. The same object for all jobs that it applies to: it is compared by reference.</summary>
public sealed class PlacementRule
{
    /// <summary>Anywhere, by prefix.</summary>
    public static PlacementRule Default { get; } = new() { Policy = new PrefixAffinityPolicy() };

    public required IPlacementPolicy Policy { get; init; }

    /// <summary>Labels that a worker must have.</summary>
    public LabelSelector Labels { get; init; } = LabelSelector.None;

    /// <summary>The oldest version of the worker's program; null: any that speaks our protocol.</summary>
    public Version? MinVersion { get; init; }

    /// <summary>Digest of the model that is sent images, which only workers may run that hand them on to its server; null: there are none.</summary>
    public string? ImagesFor { get; init; }

    /// <summary>Memory that the model's weights take; who has less in all is asked only where nobody has more. 0: not known.</summary>
    public long ModelBytes { get; init; }

    /// <summary>Some workers may not run its jobs: then neither may those of which nothing is known.</summary>
    public bool IsRestricted => !Labels.IsNone || MinVersion is not null || ImagesFor is not null;

    public bool Admits(WorkerView worker) =>
        (Labels.IsNone || Labels.Admits(worker.Labels))
        && (MinVersion is null || (Version.TryParse(worker.Report.Program, out Version? own) && own >= MinVersion))
        && (ImagesFor is null || worker.Forwarded.Any(model => model.Digest == ImagesFor && model.TakesImages == true));
}
