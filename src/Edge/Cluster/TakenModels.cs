using OllamaMax.Cluster;
using OllamaMax.Models;
using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Cluster;

/// <summary>What a worker's last report says of the models that it can take.</summary>
internal static class TakenModels
{
    /// <summary>Whether the worker holds the model or can come to. What it has no memory for in any case it cannot; whether the rest fits beside what it holds, it decides itself.</summary>
    public static bool CanTake(WorkerView worker, ModelView model)
    {
        WorkerReport report = worker.Report;
        if (worker.State is not (WorkerState.Alive or WorkerState.Suspect) || !ProtocolVersion.IsCompatible(report.Version))
            return false;
        if (model.Forwarded is not null)
            return worker.Forwarded.Any(held => held.Digest == model.Weights);
        return report.HasMemoryFor(model.WeightsSize) && !report.Models.Any(held => held.Digest == model.Weights && held.Hangs == true);
    }
}
