using OllamaMax.Browser.Tests;

[assembly: AssemblyFixture(typeof(ConsoleFixture))]
