using System.Reflection;

namespace OllamaMax.Edge.Console;

/// <summary>What Vite made of <c>src/Console</c>. It stands in this assembly, so that it goes wherever an edge goes.</summary>
internal static class ConsoleFiles
{
    private const string Prefix = "console/";

    private static readonly Lazy<Dictionary<string, ConsoleFile>> All = new(Load);

    /// <summary>Names as the page writes them, such as <c>assets/index-1a2b.js</c>.</summary>
    public static IReadOnlyDictionary<string, ConsoleFile> ByName => All.Value;

    private static Dictionary<string, ConsoleFile> Load()
    {
        Dictionary<string, string> resources = typeof(ConsoleFiles).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            // Named after paths of the machine that built it.
            .ToDictionary(name => name[Prefix.Length..].Replace('\\', '/'));
        return resources.Keys.Where(name => !IsCompressed(name)).ToDictionary(name => name, name => new ConsoleFile(
            ContentTypeOf(name), Read(resources[name])!, Read(resources.GetValueOrDefault($"{name}.br")), Read(resources.GetValueOrDefault($"{name}.gz"))));
    }

    private static bool IsCompressed(string name) => name.EndsWith(".br", StringComparison.Ordinal) || name.EndsWith(".gz", StringComparison.Ordinal);

    private static byte[]? Read(string? resource)
    {
        if (resource is null)
            return null;
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)!;
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static string ContentTypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".svg" => "image/svg+xml",
        var other => throw new InvalidOperationException($"No content type is known for the console's file {name}: {other}"),
    };
}
