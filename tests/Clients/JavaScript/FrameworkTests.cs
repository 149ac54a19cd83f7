using System.Text.Json;
using OllamaMax.TestKit;

namespace OllamaMax.Clients.Tests.JavaScript;

/// <summary>
/// <c>@langchain/ollama</c>, and <c>ai</c> with providers for Ollama's and OpenAI's APIs, from npm, as their users have them. Each goes through everything in
/// one process: to start one costs more than all that it does.
/// </summary>
public sealed class FrameworkTests(LocalSystemFixture local, KeyedSystemFixture keyed)
{
    private static readonly string Script = NodeScript.Beside("frameworks.mjs");

    [Theory]
    [InlineData("langchain")]
    [InlineData("ai-ollama")]
    [InlineData("ai-openai")]
    public async Task Framework_AllThatItDoes_Works(string framework)
    {
        using AbortWatch watch = await AbortWatch.BeginAsync(local.System, TestContext.Current.CancellationToken);
        Dictionary<string, JsonElement> steps = await RunAsync(framework);

        Answer("whole").GetString()!.ShouldContain("OllamaMax");
        Answer("streamed").GetString().ShouldBe(Answer("whole").GetString());
        Answer(framework == "langchain" ? "list" : "completions").GetString().ShouldBe(Answer("whole").GetString());
        Answer("tools").GetInt32().ShouldBePositive();
        Answer("schema").GetProperty("animal").ValueKind.ShouldBeOneOf(JsonValueKind.True, JsonValueKind.False);
        Answer("schema").GetProperty("legs").GetInt32().ShouldBeInRange(0, 9);
        Answer("embeddings").EnumerateArray().Select(length => length.GetInt32()).ShouldBe([256, 256]);
        ShouldFail("wrong", 404, "nope");
        ShouldFail("key", 401, "the key is not known");
        Answer("parts").GetInt32().ShouldBePositive(steps["abort"].ToString());
        await watch.StoppedAsync(TestContext.Current.CancellationToken);

        JsonElement Answer(string step) => steps[step].GetProperty("answer");

        // Ollama's provider looks for a message where OpenAI's errors have it, and knows the status alone.
        void ShouldFail(string step, int status, string message)
        {
            if (framework == "ai-ollama")
                steps[step].GetProperty("status").GetInt32().ShouldBe(status);
            else
                steps[step].GetProperty("message").GetString()!.ShouldContain(message);
        }
    }

    private async Task<Dictionary<string, JsonElement>> RunAsync(string framework)
    {
        await using NodeScript script = new(Script, framework, local.System.BaseAddress.ToString(), keyed.WrongKey.ToString());
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
