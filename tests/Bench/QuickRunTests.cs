using System.Text.Json;

namespace OllamaMax.Bench.Tests;

/// <summary>Each bench in its quick form: that it measures everything, not how fast anything was. Those that start whole systems take half a minute: <c>.ci/nightly</c>.</summary>
public sealed class QuickRunTests
{
    [Theory]
    [InlineData("dispatch", "Time to the first token, warm", 5, Explicit = true, Traits = ["Category", "Slow"])]
    [InlineData("dispatch", "From the queue to the worker", 6, Explicit = true, Traits = ["Category", "Slow"])]
    [InlineData("dispatch", "From the worker's engine to the client", 6, Explicit = true, Traits = ["Category", "Slow"])]
    [InlineData("dispatch", "Requests a second", 4, Explicit = true, Traits = ["Category", "Slow"])]
    [InlineData("dispatch", "Time of a request at that rate", 8, Explicit = true, Traits = ["Category", "Slow"])]
    [InlineData("engine", "Prompt tokens a second", 1)]
    [InlineData("engine", "Answer tokens a second, greedy", 4)]
    [InlineData("engine", "Answer tokens a second with guessed tokens", 6)]
    [InlineData("engine", "Gaps between the tokens of running streams", 3)]
    [InlineData("engine", "Time to the first token over a shared prefix", 4)]
    [InlineData("placement", "Simulated: shared prefixes", 5)]
    [InlineData("placement", "Simulated: mixed", 5)]
    [InlineData("placement", "Simulated: no shared prefix", 5)]
    [InlineData("placement", "Choosing one worker", 2)]
    [InlineData("placement", "A light tenant's wait for a slot under a heavy one's flood", 3)]
    [InlineData("auth", "Time of a request without and with a key", 10)]
    [InlineData("failover", "Kills in the middle of an answer", 1, Explicit = true, Traits = ["Category", "Slow"])]
    [InlineData("failover", "The pause that the client sees", 2, Explicit = true, Traits = ["Category", "Slow"])]
    [InlineData("hub", "Orchestrations whose activities do nothing", 2)]
    [InlineData("translation", "Translation's share of the edge's processor time", 3)]
    [InlineData("translation", "Prompts counted", 4)]
    public async Task Run_Quick_MeasuresEveryRow(string bench, string table, int rows)
    {
        JsonElement result = await QuickRuns.Of(bench);

        JsonElement[] all = [.. Table(result, table).GetProperty("rows").EnumerateArray()];
        all.Length.ShouldBe(rows);
        // The first value is a count or a rate: something was measured.
        all.ShouldAllBe(row => row.GetProperty("values")[0].GetDouble() > 0);
    }

    [Theory]
    [InlineData("dispatch", Explicit = true, Traits = ["Category", "Slow"])]
    [InlineData("engine")]
    [InlineData("placement")]
    [InlineData("auth")]
    [InlineData("failover", Explicit = true, Traits = ["Category", "Slow"])]
    [InlineData("hub")]
    [InlineData("translation")]
    public async Task Run_Quick_SaysHowAndOnWhat(string bench)
    {
        JsonElement result = await QuickRuns.Of(bench);

        result.GetProperty("command").GetString().ShouldBe($"dotnet run -c Release --project bench -- {bench} --quick");
        result.GetProperty("machine").GetProperty("cores").GetInt32().ShouldBe(Environment.ProcessorCount);
        result.GetProperty("machine").GetProperty("versions").GetProperty(".NET").GetString().ShouldBe(Environment.Version.ToString());
        result.GetProperty("aims").GetArrayLength().ShouldBeGreaterThan(0);
    }

    private static JsonElement Table(JsonElement result, string title) =>
        result.GetProperty("tables").EnumerateArray().Single(table => table.GetProperty("title").GetString() == title);
}
