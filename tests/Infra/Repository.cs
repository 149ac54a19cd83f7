using OllamaMax.Inference.Packages;

namespace OllamaMax.Infra.Tests;

/// <summary>Files of the checkout.</summary>
internal static class Repository
{
    public static readonly string Root = RepositoryRoot.Find();

    public static string Bicep(string name) => File("infra", "bicep", name);

    public static string File(params string[] parts) => Path.Combine([Root, .. parts]);

    public static Task<string> ReadAsync(params string[] parts) => System.IO.File.ReadAllTextAsync(File(parts), TestContext.Current.CancellationToken);
}
