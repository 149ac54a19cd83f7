namespace OllamaMax.GpuWorker.Enrolment;

/// <summary>This box's key or id cannot be read, kept or used; the message names the folder and says why.</summary>
internal sealed class IdentityException(string message, Exception? inner = null) : Exception(message, inner);
