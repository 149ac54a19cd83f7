using System.Net;
using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.Ollama;

public sealed class EmbedTests
{
    private const string Figures = "\"total_duration\":50000000,\"load_duration\":1200,\"prompt_eval_count\":";

    [Fact]
    public async Task Embed_Inputs_AUnitVectorEachInOllamasShape()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Embed([3, 4], [0.25f, 0]).Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/embed", """{"model":"embed","input":["one",""]}""");

        response.Content.Headers.ContentType!.ToString().ShouldBe("application/json; charset=utf-8");
        (await response.TextAsync()).ShouldBe($$"""{"model":"embed","embeddings":[[0.6,0.8],[1,0]],{{Figures}}6}""");
        Job job = (await edge.Jobs.NextAsync()).Job;
        job.EmbedInputs.ShouldBe(["one", ""]);
        (job.LoadOnly, job.Truncate, job.Prompt).ShouldBe((false, true, ""));
    }

    [Fact]
    public async Task Embed_FewerDimensions_CutsAndNormalises()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Embed([0.3f, 0.4f, 0.866f]).Finish();

        using HttpResponseMessage response = await edge.PostAsync(
            "/api/embed", """{"model":"embed","input":"one","dimensions":2,"truncate":false,"options":{"num_ctx":64}}""");

        using JsonDocument json = JsonDocument.Parse(await response.TextAsync());
        float[] vector = [.. json.RootElement.GetProperty("embeddings")[0].EnumerateArray().Select(number => number.GetSingle())];
        vector.Length.ShouldBe(2);
        vector[0].ShouldBe(0.6f, 1e-6f);
        vector[1].ShouldBe(0.8f, 1e-6f);
        Job job = (await edge.Jobs.NextAsync()).Job;
        job.Truncate.ShouldBeFalse();
        job.Options.NumCtx.ShouldBe(64);
    }

    [Theory]
    [InlineData("/api/embed", "{\"model\":\"embed\"}", "{\"model\":\"embed\",\"embeddings\":[]}")]
    [InlineData("/api/embed", "{\"model\":\"embed\",\"input\":\"\"}", "{\"model\":\"embed\",\"embeddings\":[]}")]
    [InlineData("/api/embed", "{\"model\":\"embed\",\"input\":[]}", "{\"model\":\"embed\",\"embeddings\":[]}")]
    [InlineData("/api/embeddings", "{\"model\":\"embed\",\"prompt\":\"\"}", "{\"embedding\":[]}")]
    public async Task Embed_NoInput_LoadsTheModel(string path, string request, string answer)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish(FinishReason.Load);

        using HttpResponseMessage response = await edge.PostAsync(path, request);

        (await response.TextAsync()).ShouldBe(answer);
        Job job = (await edge.Jobs.NextAsync()).Job;
        job.LoadOnly.ShouldBeTrue();
        job.EmbedInputs.ShouldBeNull();
    }

    [Fact]
    public async Task Embeddings_Prompt_TheModelsVectorInTheOlderShape()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Embed([3, -4]).Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/embeddings", """{"model":"embed","prompt":"one","keep_alive":"5m"}""");

        (await response.TextAsync()).ShouldBe("""{"embedding":[3,-4]}""");
        Job job = (await edge.Jobs.NextAsync()).Job;
        job.EmbedInputs.ShouldBe(["one"]);
        job.KeepAlive.ShouldBe(TimeSpan.FromMinutes(5));
    }

    [Theory]
    [InlineData("\"input\":7", "input must be a string or an array of strings")]
    [InlineData("\"input\":[\"a\",7]", "input[1] must be a string")]
    [InlineData("\"input\":\"a\",\"dimensions\":-1", "dimensions must be from 0")]
    [InlineData("\"input\":\"a\",\"truncate\":\"yes\"", "truncate must be a boolean")]
    [InlineData("\"input\":\"a\",\"options\":{\"num_ctx\":\"x\"}", "options.num_ctx must be an integer")]
    [InlineData("\"input\":\"a\",\"keep_alive\":\"soon\"", "keep_alive must be a duration")]
    public async Task Embed_BadField_BadRequestNamingIt(string field, string message)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync("/api/embed", $$"""{"model":"embed",{{field}}}""");

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldContain(message);
        edge.Jobs.Count.ShouldBe(0);
    }

    [Theory]
    [InlineData("/api/embed", "{}", HttpStatusCode.BadRequest, "model is required")]
    [InlineData("/api/embeddings", "{\"model\":\"nope\",\"prompt\":\"x\"}", HttpStatusCode.NotFound, "model 'nope' not found")]
    public async Task Embed_NoSuchModel_SaysSo(string path, string request, HttpStatusCode status, string message)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync(path, request);

        (await response.ErrorAsync(status)).ShouldBe(message);
    }

    [Fact]
    public async Task Embed_InputLongerThanTheContext_BadRequestInTheWorkersWords()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Fail(JobErrorKind.Invalid, "the input length exceeds the context length");

        using HttpResponseMessage response = await edge.PostAsync("/api/embed", """{"model":"embed","input":"x","truncate":false}""");

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldBe("the input length exceeds the context length");
    }

    [Fact]
    public async Task Embed_VectorWithoutNumbers_FailsInsteadOfLying()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Embed([1, float.NaN]).Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/embed", """{"model":"embed","input":"x"}""");

        (await response.ErrorAsync(HttpStatusCode.InternalServerError)).ShouldBe("embedding contains NaN or Inf values");
    }
}
