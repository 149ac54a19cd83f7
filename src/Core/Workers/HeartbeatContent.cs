using OllamaMax.Models;
using OllamaMax.Replication;

namespace OllamaMax.Workers;

/// <summary>
/// The content of a worker's heartbeat blob: what the metadata, which have the report, are too small for. It changes seldom, and is read again only when it has: the report names
/// it by its digest (<see cref="WorkerReport.Content"/>).
/// </summary>
/// <param name="Models">Of servers that the worker forwards to.</param>
public sealed record HeartbeatContent(IReadOnlyList<ForwardedModel> Models)
{
    /// <summary>All models that the worker holds, without the figures that change while they are in memory; null: the report has all of them.</summary>
    public IReadOnlyList<HeldModel>? Copies { get; init; }

    /// <summary>Copies on their way, and those that could not be had, that the report has no room for, without the figures of how far they are; null: it has all.</summary>
    public IReadOnlyList<ReplicaTransfer>? Transfers { get; init; }
}
