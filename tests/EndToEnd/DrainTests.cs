using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using OllamaMax.TestKit;

namespace OllamaMax.EndToEnd.Tests;

public sealed partial class DrainTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sigterm_OfTheWorkerThatAnswers_AnotherGoesOnToTheEnd()
    {
        const int Tokens = 800;
        using TempFolder folder = new();
        await using LocalSystem system = await LocalSystem.StartAsync(new() { Workers = 2, Model = LocalSystemFixture.WriteEndless(folder) }, Cancellation);
        using HttpClient client = system.Client();
        string id = $"handed-{Guid.NewGuid():N}";
        await using Stream stream = await client.BeginEndlessAsync(id, Tokens);
        string begins = await system.Output.WaitForAsync(line => line.Contains($"Request {id}: ", StringComparison.Ordinal), Cancellation);
        begins.ShouldContain($" of {LocalSystemFixture.Endless}:latest (sha256:");
        int worker = int.Parse(Worker().Match(begins).Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture);
        using Process draining = Process.GetProcessById(system.WorkerPids[worker - 1]);

        LocalSystem.Terminate(draining.Id);

        List<JsonElement> lines = await stream.LinesAsync();
        JsonElement last = lines[^1];
        last.GetProperty("done").GetBoolean().ShouldBeTrue();
        last.GetProperty("eval_count").GetInt32().ShouldBe(Tokens);
        system.Output.Lines.ShouldContain(line => line.StartsWith($"worker-{worker}: ", StringComparison.Ordinal) && line.EndsWith("Draining", StringComparison.Ordinal));
        system.Output.Lines.ShouldContain(line => line.Contains($"Request {id}: ", StringComparison.Ordinal) && line.EndsWith("attempt 2 begins", StringComparison.Ordinal));
        await draining.WaitForExitAsync(Cancellation);
        await system.Output.WaitForAsync(line => line.Contains($"worker-{worker} ended with exit code 0", StringComparison.Ordinal), Cancellation);
    }

    [GeneratedRegex("^worker-([0-9]+): ")]
    private static partial Regex Worker();
}
