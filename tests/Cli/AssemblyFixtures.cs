using OllamaMax.TestKit;

// One system for all: a drain in one test would starve another's answers.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
[assembly: AssemblyFixture(typeof(LocalSystemFixture))]
