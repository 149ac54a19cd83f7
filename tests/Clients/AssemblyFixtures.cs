using OllamaMax.Clients.Tests;
using OllamaMax.TestKit;

[assembly: AssemblyFixture(typeof(LocalSystemFixture))]
[assembly: AssemblyFixture(typeof(KeyedSystemFixture))]
