using OllamaMax.Chaos.Tests;

// One system for all, and each test takes parts of it away.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
[assembly: AssemblyFixture(typeof(ChaosFixture))]
