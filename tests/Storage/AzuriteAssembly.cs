using OllamaMax.TestKit;

[assembly: AssemblyFixture(typeof(AzuriteFixture))]

// Many wait for leases to run out.
[assembly: Xunit.v3.Parallelization(MaxThreads = 4)]
