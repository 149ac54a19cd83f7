namespace OllamaMax.GpuWorker.Models;

/// <summary>A model's weights cannot be had on this box.</summary>
internal sealed class ReplicaException(string message, Exception? inner = null) : Exception(message, inner);
