using OllamaMax.TestKit;

[assembly: AssemblyFixture(typeof(AzuriteFixture))]
