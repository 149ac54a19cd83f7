using System.Net;
using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;
using OllamaMax.Models;

namespace OllamaMax.Edge.Tests.OpenAI;

public sealed class EmbeddingsAndModelsTests
{
    [Fact]
    public async Task Embeddings_Texts_AUnitVectorEach()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Embed([7, 0], [3, 4]).Finish();

        using HttpResponseMessage response = await edge.PostAsync("/v1/embeddings", """{"model":"embed","input":["a","b"]}""");

        (await response.TextAsync()).ShouldBe(
            """{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1,0]},"""
            + """{"object":"embedding","index":1,"embedding":[0.6,0.8]}],"model":"embed","usage":{"prompt_tokens":6,"total_tokens":6}}""");
        Job job = (await edge.Jobs.NextAsync()).Job;
        job.EmbedInputs.ShouldBe(["a", "b"]);
        job.Truncate.ShouldBeFalse();
    }

    [Fact]
    public async Task Embeddings_Base64AndDimensions_LittleEndianFloats()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Embed([0.6f, 0, 0.8f]).Finish();

        using HttpResponseMessage response = await edge.PostAsync(
            "/v1/embeddings", """{"model":"embed","input":"a","encoding_format":"base64","dimensions":2}""");

        string vector = JsonElement.Parse(await response.TextAsync()).GetProperty("data")[0].GetProperty("embedding").GetString()!;
        byte[] bytes = Convert.FromBase64String(vector);
        (BitConverter.ToSingle(bytes, 0), BitConverter.ToSingle(bytes, 4), bytes.Length).ShouldBe((1f, 0f, 8));
    }

    [Theory]
    [InlineData("\"input\":[1,2]", "input")]
    [InlineData("\"input\":\"\"", "input")]
    [InlineData("\"input\":[]", "input")]
    [InlineData("\"input\":\"x\",\"encoding_format\":\"hex\"", "encoding_format")]
    [InlineData("\"input\":\"x\",\"dimensions\":0", "dimensions")]
    public async Task Embeddings_BadField_NamesIt(string fields, string param)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync("/v1/embeddings", $$"""{"model":"embed",{{fields}}}""");

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        JsonElement.Parse(await response.TextAsync()).GetProperty("error").GetProperty("param").GetString().ShouldBe(param);
    }

    [Fact]
    public async Task Models_ListAndShow_AreOpenAIsForm()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage list = await edge.SendAsync(HttpMethod.Get, "/v1/models");
        using HttpResponseMessage one = await edge.SendAsync(HttpMethod.Get, "/v1/models/demo");

        (await list.TextAsync()).ShouldStartWith(
            """{"object":"list","data":[{"object":"model","id":"demo:latest","created":1767225600,"owned_by":"library"},""");
        (await one.TextAsync()).ShouldBe("""{"object":"model","id":"demo","created":1767225600,"owned_by":"library"}""");
    }

    [Theory]
    [InlineData("somebody/demo")]
    [InlineData("somebody%2Fdemo")]
    public async Task Show_NameWithASlash_MayBeEscaped(string id)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able with { Name = ModelName.Parse("somebody/demo") });

        using HttpResponseMessage openAI = await edge.SendAsync(HttpMethod.Get, $"/v1/models/{id}");
        using HttpResponseMessage anthropic = await edge.SendAsync(HttpMethod.Get, $"/v1/models/{id}", null, ("anthropic-version", "2023-06-01"));

        JsonElement.Parse(await openAI.TextAsync()).GetProperty("id").GetString().ShouldBe("somebody/demo");
        JsonElement.Parse(await anthropic.TextAsync()).GetProperty("id").GetString().ShouldBe("somebody/demo");
    }

    [Fact]
    public async Task Models_AnthropicsClient_GetsAnthropicsPages()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        (string, string) version = ("anthropic-version", "2023-06-01");

        using HttpResponseMessage list = await edge.SendAsync(HttpMethod.Get, "/v1/models?limit=1&after_id=demo:latest", null, version);
        using HttpResponseMessage one = await edge.SendAsync(HttpMethod.Get, "/v1/models/demo", null, version);
        using HttpResponseMessage none = await edge.SendAsync(HttpMethod.Get, "/v1/models/nope", null, version, ("x-request-id", "r1"));

        (await list.TextAsync()).ShouldBe(
            """{"data":[{"type":"model","id":"plain:latest","display_name":"plain:latest","created_at":"2026-01-01T00:00:00Z"}],"has_more":true,"first_id":"plain:latest","last_id":"plain:latest"}""");
        (await one.TextAsync()).ShouldBe("""{"type":"model","id":"demo","display_name":"demo:latest","created_at":"2026-01-01T00:00:00Z"}""");
        none.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await none.TextAsync()).ShouldBe("""{"type":"error","error":{"type":"not_found_error","message":"model 'nope' not found"},"request_id":"r1"}""");
    }
}
