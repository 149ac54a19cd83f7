using System.Net;
using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Security;

public sealed class ModelAllowListTests(AzuriteFixture azurite)
{
    private static readonly object DemoOnly = new { name = "demo only", models = (string[])["demo"] };

    [Theory]
    [InlineData("/api/tags", "models", "name")]
    [InlineData("/v1/models", "data", "id")]
    public async Task List_KeyWithModels_ShowsThoseAlone(string path, string list, string name)
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);
        (_, string key) = await edge.CreateKeyAsync(DemoOnly);

        JsonElement answer = await edge.JsonAsync(path, key);

        answer.GetProperty(list).EnumerateArray().Select(model => model.GetProperty(name).GetString()).ShouldBe(["demo:latest"]);
    }

    [Theory]
    [InlineData("/api/chat", """{"model":"plain","messages":[{"role":"user","content":"x"}]}""")]
    [InlineData("/api/generate", """{"model":"plain","prompt":"x"}""")]
    [InlineData("/api/embed", """{"model":"embed","input":"x"}""")]
    [InlineData("/api/show", """{"model":"plain"}""")]
    [InlineData("/v1/chat/completions", """{"model":"plain","messages":[{"role":"user","content":"x"}]}""")]
    [InlineData("/v1/responses", """{"model":"plain","input":"x"}""")]
    [InlineData("/v1/messages", """{"model":"plain","max_tokens":1,"messages":[{"role":"user","content":"x"}]}""")]
    [InlineData("/v1/messages/count_tokens", """{"model":"plain","messages":[{"role":"user","content":"x"}]}""")]
    public async Task Post_ModelThatTheKeyMayNotUse_IsNotThere(string path, string body)
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);
        (_, string key) = await edge.CreateKeyAsync(DemoOnly);

        using HttpResponseMessage response = await edge.PostAsync(path, body, ("x-api-key", key));

        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await response.TextAsync()).ShouldContain("not found");
        edge.Jobs.Count.ShouldBe(0);
    }
}
