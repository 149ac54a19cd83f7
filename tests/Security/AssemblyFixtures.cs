using OllamaMax.Security.Tests;

[assembly: AssemblyFixture(typeof(KeyedSystemFixture))]
