using System.Diagnostics;
using System.Text.Json;
using OllamaMax.Inference.Packages;

namespace OllamaMax.Browser.Tests;

/// <summary>The built files themselves; these need no browser.</summary>
public sealed class BuiltFilesTests
{
    private const long MostBytes = 250_000;

    private static readonly string Root = RepositoryRoot.Find();
    private static readonly string Built = Path.Combine(Root, "src", "Console", "obj", "dist");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task FirstLoad_ByGzip_IsUnder250KB()
    {
        using JsonDocument manifest = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Built, ".vite", "manifest.json"), Cancellation));
        JsonElement entry = manifest.RootElement.GetProperty("index.html");
        HashSet<string> files = [];
        Collect(manifest.RootElement, entry, files);

        long bytes = files.Sum(file => new FileInfo(Path.Combine(Built, $"{file}.gz")).Length) + new FileInfo(Path.Combine(Built, "index.html")).Length;

        files.Count.ShouldBeGreaterThan(1);
        bytes.ShouldBeLessThan(MostBytes);
        entry.GetProperty("dynamicImports").GetArrayLength().ShouldBeGreaterThan(7, "pages other than the chat are to come when they are asked for");
    }

    [Fact]
    public async Task Sources_HaveNoTypeErrors()
    {
        ProcessStartInfo start = new("node", [Path.Combine(Root, "node_modules", "typescript", "bin", "tsc"), "-p", Path.Combine(Root, "src", "Console")]) { RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        string output = await process.StandardOutput.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        process.ExitCode.ShouldBe(0, output);
    }

    /// <summary>What the browser loads before the page shows: an entry, what it imports, and their styles.</summary>
    private static void Collect(JsonElement manifest, JsonElement chunk, HashSet<string> files)
    {
        if (!files.Add(chunk.GetProperty("file").GetString()!))
            return;
        if (chunk.TryGetProperty("css", out JsonElement styles))
            files.UnionWith(styles.EnumerateArray().Select(style => style.GetString()!));
        if (!chunk.TryGetProperty("imports", out JsonElement imports))
            return;
        foreach (JsonElement import in imports.EnumerateArray())
            Collect(manifest, manifest.GetProperty(import.GetString()!), files);
    }
}
