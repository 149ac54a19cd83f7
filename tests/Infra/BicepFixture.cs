namespace OllamaMax.Infra.Tests;

/// <summary>main.bicep and all its modules, compiled once.</summary>
public sealed class BicepFixture
{
    private readonly Lazy<Task<Template>> _main = new(async () => new(await BicepCompiler.BuildAsync(Repository.Bicep("main.bicep"))));

    internal Task<Template> MainAsync() => _main.Value;
}
