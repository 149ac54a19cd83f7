namespace OllamaMax.Clients.Tests;

/// <summary>Tests that make and delete models: all share one system, and others ask it for the whole list.</summary>
[CollectionDefinition(nameof(ChangesTheCatalogue), DisableParallelization = true)]
public sealed class ChangesTheCatalogue;
