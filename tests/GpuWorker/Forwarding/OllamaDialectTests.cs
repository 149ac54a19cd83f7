using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.GpuWorker.Forwarding;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Forwarding;

namespace OllamaMax.GpuWorker.Tests.Forwarding;

/// <summary>A request in Ollama's words.</summary>
public sealed class OllamaDialectTests
{
    [Theory]
    [InlineData(null, "low", null)]
    [InlineData(true, "low", "\"low\"")]
    [InlineData(true, null, "true")]
    [InlineData(false, "low", "false")]
    public void Ask_Reasoning_IsAskedForWhereTheModelCan(bool? think, string? level, string? asked)
    {
        JsonObject body = Ask(new ForwardedPrompt { Messages = [new("user", "hi")], Think = think, ThinkLevel = level });

        body["think"]?.ToJsonString().ShouldBe(asked);
        body.ContainsKey("think").ShouldBe(asked is not null);
    }

    [Theory]
    [InlineData("""{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":[1]}"}}""", """{"function":{"name":"f","arguments":{"x":[1]}},"id":"a"}""")]
    [InlineData("""{"function":{"name":"f","arguments":{"x":1}}}""", """{"function":{"name":"f","arguments":{"x":1}}}""")]
    [InlineData("""{"function":{"name":"f","arguments":"not JSON"}}""", """{"function":{"name":"f","arguments":"not JSON"}}""")]
    public void Ask_CallOfAnEarlierTurn_HasItsArgumentsAsAnObject(string call, string sent)
    {
        JsonObject body = Ask(new ForwardedPrompt { Messages = [new("assistant", "") { ToolCalls = [JsonElement.Parse(call)] }] });

        body["messages"]![0]!["tool_calls"]![0]!.ToJsonString().ShouldBe(sent);
    }

    private static JsonObject Ask(ForwardedPrompt forward) =>
        new OllamaDialect(ForwardTarget.Parse("ollama=http://localhost:1"), NullLogger.Instance).Ask("far", new EngineRequest { Prompt = "", Options = new(), Seed = 1, Forward = forward }).Body;
}
