using System.Text.Json;
using OllamaMax.TestKit;

namespace OllamaMax.Clients.Tests.JavaScript;

/// <summary>What the official clients make of a key that is wrong, and of the right one.</summary>
public sealed class WrongKeyTests(KeyedSystemFixture keyed)
{
    private const string Unknown = "unauthorized: the key is not known";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    public async Task Models_WrongKey_AuthenticationErrorAndTheRightOneListsThem(string client)
    {
        JsonElement error = await new SdkScript(client, keyed.WrongKey).ErrorAsync("models.list");
        List<JsonElement> models = await new SdkScript(client, keyed.RightKey).PartsAsync("models.list");

        error.GetProperty("name").GetString().ShouldBe("AuthenticationError");
        error.GetProperty("status").GetInt32().ShouldBe(401);
        error.GetProperty("message").GetString()!.ShouldContain(Unknown);
        models.Select(model => model.GetProperty("id").GetString()).ShouldBe(["demo:latest"]);
    }

    [Fact]
    public async Task OllamaList_WrongKey_ResponseErrorAndTheRightOneListsThem()
    {
        JsonElement error = await OllamaAsync(keyed.WrongKey, "error");
        JsonElement models = await OllamaAsync(keyed.RightKey, "answer");

        error.GetProperty("name").GetString().ShouldBe("ResponseError");
        error.GetProperty("status").GetInt32().ShouldBe(401);
        error.GetProperty("message").GetString().ShouldBe(Unknown);
        models.GetProperty("models").EnumerateArray().Select(model => model.GetProperty("name").GetString()).ShouldBe(["demo:latest"]);
    }

    private static async Task<JsonElement> OllamaAsync(Uri edge, string wanted)
    {
        await using NodeScript script = new(NodeScript.Beside("ollama.mjs"), edge.ToString(), "list");
        (string what, JsonElement value) = await script.NextAsync(Cancellation);
        what.ShouldBe(wanted, value.ToString());
        return value;
    }
}
