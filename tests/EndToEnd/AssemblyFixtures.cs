using OllamaMax.TestKit;

// Whole systems are started, killed and counted here: beside each other they would disturb what they measure.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
[assembly: AssemblyFixture(typeof(LocalSystemFixture))]
