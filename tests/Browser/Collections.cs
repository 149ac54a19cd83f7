namespace OllamaMax.Browser.Tests;

/// <summary>Tests of the assembly's one system and browser: some take parts of it away.</summary>
[CollectionDefinition(nameof(OneSystem))]
public sealed class OneSystem;
