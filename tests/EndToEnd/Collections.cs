namespace OllamaMax.EndToEnd.Tests;

/// <summary>Tests of the assembly's one system: some take parts of it away, or count what is busy.</summary>
[CollectionDefinition(nameof(OneSystem))]
public sealed class OneSystem;

/// <summary>Tests that look at times, or at what the whole process shares: others beside them would disturb what they measure.</summary>
[CollectionDefinition(nameof(RunsAlone), DisableParallelization = true)]
public sealed class RunsAlone;
