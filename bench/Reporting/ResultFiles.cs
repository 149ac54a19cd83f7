using System.Text.Json;

namespace OllamaMax.Bench.Reporting;

/// <summary>Writes <c>NAME.md</c> and <c>NAME.json</c>.</summary>
internal static class ResultFiles
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static async Task WriteAsync(BenchResult result, string folder, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, $"{result.Name}.md"), Markdown.Write(result), cancellationToken);
        await File.WriteAllTextAsync(
            Path.Combine(folder, $"{result.Name}.json"), JsonSerializer.Serialize(result, s_json) + "\n", cancellationToken);
    }
}
