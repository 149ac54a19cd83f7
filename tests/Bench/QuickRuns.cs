using System.Collections.Concurrent;
using System.CommandLine;
using System.Text.Json;
using OllamaMax.TestKit;

namespace OllamaMax.Bench.Tests;

/// <summary>Runs each bench once for all tests, as from the command line.</summary>
internal static class QuickRuns
{
    private static readonly ConcurrentDictionary<string, Lazy<Task<JsonElement>>> s_runs = [];

    /// <summary>What the run wrote as JSON.</summary>
    public static Task<JsonElement> Of(string bench) => s_runs.GetOrAdd(bench, name => new(() => RunAsync(name))).Value;

    private static async Task<JsonElement> RunAsync(string bench)
    {
        // What goes wrong is to stand in the test's own failure.
        InvocationConfiguration invocation = new() { EnableDefaultExceptionHandler = false };
        using TempFolder results = new();
        int exitCode = await BenchCommand.Create().Parse([bench, "--quick", "--results", results.Path]).InvokeAsync(invocation);
        exitCode.ShouldBe(0);
        File.ReadAllText(results.File($"{bench}.md")).ShouldStartWith($"# {bench}\n");
        return JsonDocument.Parse(File.ReadAllBytes(results.File($"{bench}.json"))).RootElement;
    }
}
