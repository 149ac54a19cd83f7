namespace OllamaMax.GpuWorker.Tests;

/// <summary>Tests that start models' processes, look for those of this process, or change the environment that they inherit: one class after the other.</summary>
[CollectionDefinition(nameof(ModelProcesses))]
public sealed class ModelProcesses;
