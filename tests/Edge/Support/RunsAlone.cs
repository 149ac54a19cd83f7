namespace OllamaMax.Edge.Tests.Support;

/// <summary>Tests of what the whole process shares, meters and memory: those of other edges would count in.</summary>
[CollectionDefinition(nameof(RunsAlone), DisableParallelization = true)]
public sealed class RunsAlone;
