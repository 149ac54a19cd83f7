using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Aliases;
using OllamaMax.Edge.Tests.Support;

namespace OllamaMax.Edge.Tests.Aliases;

public sealed class AliasTests
{
    private const string Aliases = "gpt-4o-mini=qwen:7b,plain,demo; claude=nothing, gpt-4o-mini; chat=lost,nothing:7b,demo; lost=nothing; embed=demo";

    [Theory]
    [InlineData("/api/chat", """{"model":"chat","messages":[{"role":"user","content":"x"}],"stream":false}""")]
    [InlineData("/v1/chat/completions", """{"model":"chat","messages":[{"role":"user","content":"x"}]}""")]
    [InlineData("/v1/messages", """{"model":"chat","messages":[{"role":"user","content":"x"}],"max_tokens":5}""")]
    public async Task AnyApi_Alias_AnswerRepeatsItAndAHeaderSaysTheModel(string path, string body)
    {
        await using EdgeServer edge = await StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("hello").Finish();

        using HttpResponseMessage response = await edge.PostAsync(path, body);

        JsonElement.Parse(await response.TextAsync()).GetProperty("model").GetString().ShouldBe("chat");
        response.Headers.GetValues("x-ollamamax-model").ShouldBe(["demo:latest"]);
    }

    [Theory]
    [InlineData("claude", "plain:latest")]
    [InlineData("CLAUDE:latest", "plain:latest")]
    [InlineData("embed", "embed:latest")]
    [InlineData("demo", "demo:latest")]
    public async Task Embed_Name_IsFollowedUnlessAModelHasIt(string name, string model)
    {
        await using EdgeServer edge = await StartAsync();
        edge.Jobs.Script = job => job.Accept().Embed([1, 0]).Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/embed", $$"""{"model":"{{name}}","input":"x"}""");

        response.Headers.GetValues("x-ollamamax-model").ShouldBe([model], await response.TextAsync());
    }

    [Fact]
    public async Task Chat_FirstModelHasNoWorker_NextOneAnswersUnlessAllAreWithout()
    {
        await using EdgeServer edge = await StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("hello").Finish();
        edge.Models.Unserved.Add("plain");

        using HttpResponseMessage served = await edge.PostAsync("/v1/completions", """{"model":"claude","prompt":"x"}""");
        edge.Models.Unserved.Add("demo");
        using HttpResponseMessage waiting = await edge.PostAsync("/v1/completions", """{"model":"claude","prompt":"x"}""");

        served.Headers.GetValues("x-ollamamax-model").ShouldBe(["demo:latest"]);
        waiting.Headers.GetValues("x-ollamamax-model").ShouldBe(["plain:latest"]);
    }

    [Fact]
    public async Task Generate_AliasOfNothing_IsNotFoundUnderItsName()
    {
        await using EdgeServer edge = await StartAsync();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", """{"model":"lost","prompt":"x"}""");

        (await response.ErrorAsync(HttpStatusCode.NotFound)).ShouldBe("model 'lost' not found");
    }

    [Fact]
    public async Task Generate_ReplayedByItsKey_SaysTheModelThatAnswered()
    {
        await using EdgeServer edge = await StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("hello").Finish();
        const string body = """{"model":"gpt-4o-mini","prompt":"x","stream":false}""";
        using HttpResponseMessage first = await edge.PostAsync("/api/generate", body, ("Idempotency-Key", "k1"));
        await first.TextAsync();
        edge.Models.Remove("plain");

        using HttpResponseMessage again = await edge.PostAsync("/api/generate", body, ("Idempotency-Key", "k1"));

        again.Headers.GetValues("idempotency-replayed").ShouldBe(["true"]);
        again.Headers.GetValues("x-ollamamax-model").ShouldBe(["plain:latest"]);
    }

    [Fact]
    public async Task Lists_Aliases_StandBehindTheModelsWithWhatAnswersToThem()
    {
        await using EdgeServer edge = await StartAsync();
        (string, string) version = ("anthropic-version", "2023-06-01");

        using HttpResponseMessage openAI = await edge.SendAsync(HttpMethod.Get, "/v1/models");
        using HttpResponseMessage anthropic = await edge.SendAsync(HttpMethod.Get, "/v1/models", null, version);
        using HttpResponseMessage tags = await edge.SendAsync(HttpMethod.Get, "/api/tags");
        using HttpResponseMessage one = await edge.SendAsync(HttpMethod.Get, "/v1/models/claude", null, version);

        string[] names = ["demo:latest", "plain:latest", "embed:latest", "gpt-4o-mini", "claude", "chat"];
        Names(await openAI.TextAsync(), "data", "id").ShouldBe(names);
        Names(await anthropic.TextAsync(), "data", "id").ShouldBe(names);
        Names(await tags.TextAsync(), "models", "name").ShouldBe(["demo:latest", "plain:latest", "embed:latest", "gpt-4o-mini:latest", "claude:latest", "chat:latest"]);
        (await one.TextAsync()).ShouldStartWith("""{"type":"model","id":"claude","display_name":"plain:latest",""");
    }

    [Fact]
    public async Task Start_Cycle_IsRefused()
    {
        OptionsValidationException error = await Should.ThrowAsync<OptionsValidationException>(() => StartAsync("a=b; b=a"));

        error.Failures.Count().ShouldBe(2);
    }

    private static string?[] Names(string json, string list, string name) =>
        [.. JsonElement.Parse(json).GetProperty(list).EnumerateArray().Select(model => model.GetProperty(name).GetString())];

    private static Task<EdgeServer> StartAsync(string aliases = Aliases) =>
        EdgeServer.StartAsync(services: services => services.Configure<AliasOptions>(options => options.Add(aliases)));
}
