namespace OllamaMax.GpuWorker.Enrolment;

/// <summary>The edge does not let this worker in, and says why.</summary>
internal sealed class EnrolmentException(string message) : Exception(message);
