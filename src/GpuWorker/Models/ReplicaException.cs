namespace OllamaMax.GpuWorker.Models;

/// <summary>A model's weights cannot be had on this box.</summary>
internal class ReplicaException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>All pieces are what their list says, and the whole is not what its name says: nothing of it is worth keeping.</summary>
internal sealed class DamagedSourceException(string message) : ReplicaException(message);
