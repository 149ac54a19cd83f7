using OllamaMax.Workers;

namespace OllamaMax.GpuWorker.Enrolment;

/// <summary>Another process works under this worker's identity.</summary>
internal sealed class IdentityTakenException(string workerId, WorkerReport other) : Exception(
    $"another process works as worker {workerId}: '{other.Name}' on {other.Host}, pid {other.Pid}. If that box is a copy of this one, delete worker.key and worker.id in its --data folder, or in this one's, and join it with a token of its own");
