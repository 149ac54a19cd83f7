namespace OllamaMax.TaskHub.Turns;

/// <summary>The code of an orchestrator, run again, decides differently from what its history says: it was changed, or asks a clock, chance or the world.</summary>
internal sealed class NonDeterministicOrchestrationException(string message) : Exception(message);
