using System.Text.Json;
using OllamaMax.TestKit;

namespace OllamaMax.Clients.Tests.JavaScript;

/// <summary>
/// <c>@langchain/ollama</c> from npm, as its users have it. It goes through everything in one process: to start one costs more than all that it does.
/// </summary>
public sealed class FrameworkTests(LocalSystemFixture local)
{
    private static readonly string Script = NodeScript.Beside("frameworks.mjs");

    [Fact]
    public async Task LangChain_AllThatItDoes_Works()
    {
        int from = local.System.Output.Lines.Count;
        Dictionary<string, JsonElement> steps = await RunAsync();

        Answer("whole").GetString()!.ShouldContain("OllamaMax");
        Answer("streamed").GetString().ShouldBe(Answer("whole").GetString());
        Answer("tools").GetInt32().ShouldBePositive();
        Answer("schema").GetProperty("animal").ValueKind.ShouldBeOneOf(JsonValueKind.True, JsonValueKind.False);
        Answer("schema").GetProperty("legs").GetInt32().ShouldBeInRange(0, 9);
        Answer("embeddings").EnumerateArray().Select(length => length.GetInt32()).ShouldBe([256, 256]);
        steps["wrong"].GetProperty("message").GetString()!.ShouldContain("nope");
        Answer("parts").GetInt32().ShouldBePositive(steps["abort"].ToString());
        await local.System.Output.WaitForAsync(line => line.EndsWith("ended by Cancelled", StringComparison.Ordinal), TestContext.Current.CancellationToken, from);

        JsonElement Answer(string step) => steps[step].GetProperty("answer");
    }

    private async Task<Dictionary<string, JsonElement>> RunAsync()
    {
        await using NodeScript script = new(Script, local.System.BaseAddress.ToString());
        Dictionary<string, JsonElement> steps = [];
        while (true)
        {
            (string what, JsonElement value) = await script.NextAsync(TestContext.Current.CancellationToken);
            if (what == "end")
                return steps;
            what.ShouldNotBe("error", value.ToString());
            steps.Add(what, value);
        }
    }
}
