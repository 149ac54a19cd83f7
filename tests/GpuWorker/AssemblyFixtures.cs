using OllamaMax.TestKit;

[assembly: AssemblyFixture(typeof(AzuriteFixture))]

// Most of them wait for storage, leases and retries most of their time.
[assembly: Xunit.v3.Parallelization(MaxThreads = 6)]
