using System.Reflection;
using System.Text.Json.Nodes;

namespace OllamaMax.Infra.Tests;

/// <summary>The compiler of Bicep, as its package brings it.</summary>
internal static class BicepCompiler
{
    /// <summary>A file as an ARM template (<c>.bicep</c>), or as the values of its parameters (<c>.bicepparam</c>).</summary>
    /// <remarks>Skips the test where there is no compiler for this platform, and fails it on errors and warnings.</remarks>
    public static async Task<JsonObject> BuildAsync(string file, IReadOnlyDictionary<string, string?>? environment = null)
    {
        bool isParameters = Path.GetExtension(file) == ".bicepparam";
        Script built = await Script.RunAsync(
            Find(), [isParameters ? "build-params" : "build", "--stdout", file],
            new Dictionary<string, string?>(environment ?? new Dictionary<string, string?>()) { ["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1" });
        built.Errors.ShouldBeEmpty();
        built.ExitCode.ShouldBe(0);
        JsonObject output = JsonNode.Parse(built.Output)!.AsObject();
        // With the values come the template that they are for; both as text.
        return isParameters ? JsonNode.Parse(output["parametersJson"]!.GetValue<string>())!["parameters"]!.AsObject() : output;
    }

    private static string Find()
    {
        string? folder = typeof(BicepCompiler).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(pair => pair.Key == "BicepFolder")?.Value;
        Assert.SkipWhen(folder is null, "Bicep's compiler comes for Linux on x64 here.");
        return Directory.EnumerateFiles(folder!, "bicep", SearchOption.AllDirectories).Single();
    }
}
