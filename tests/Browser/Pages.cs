namespace OllamaMax.Browser.Tests;

/// <summary>The console's pages, as its addresses name them.</summary>
internal static class Pages
{
    public static string[] All { get; } = ["chat", "compare", "cluster", "models", "jobs", "traffic", "keys", "usage", "audit"];
}
