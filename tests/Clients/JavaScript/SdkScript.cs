using System.Text.Json;
using OllamaMax.TestKit;

namespace OllamaMax.Clients.Tests.JavaScript;

/// <summary>Calls one of the official JavaScript clients of the other two APIs.</summary>
internal sealed class SdkScript(string client, Uri edge)
{
    private static readonly string Script = NodeScript.Beside("sdk.mjs");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public NodeScript Call(string call, params object[] arguments) =>
        new(Script, [client, edge.ToString(), call, .. arguments.Select(argument => JsonSerializer.Serialize(argument))]);

    public async Task<JsonElement> AnswerAsync(string call, params object[] arguments) => (await OnlyAsync("answer", call, arguments)).Value;

    public async Task<JsonElement> ErrorAsync(string call, params object[] arguments) => (await OnlyAsync("error", call, arguments)).Value;

    /// <summary>What a stream or a list gives.</summary>
    public async Task<List<JsonElement>> PartsAsync(string call, params object[] arguments)
    {
        await using NodeScript script = Call(call, arguments);
        List<JsonElement> parts = [];
        while (true)
        {
            (string what, JsonElement value) = await script.NextAsync(Cancellation);
            if (what == "end")
                return parts;
            what.ShouldBe("part", value.ToString());
            parts.Add(value);
        }
    }

    private async Task<(string Event, JsonElement Value)> OnlyAsync(string wanted, string call, object[] arguments)
    {
        await using NodeScript script = Call(call, arguments);
        (string what, JsonElement value) = await script.NextAsync(Cancellation);
        what.ShouldBe(wanted, value.ToString());
        return (what, value);
    }
}
