using OllamaMax.TestKit;

[assembly: AssemblyFixture(typeof(LocalSystemFixture))]
