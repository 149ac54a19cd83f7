using System.Net;
using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.Ollama;

public sealed class GenerateTests
{
    private const string At = "\"created_at\":\"2026-01-02T03:04:05.678Z\"";

    /// <summary>Of the turns [["user","hi"],["assistant","AB"]].</summary>
    private const string Context = "[5197144,34,2251611,6648693,2892402,6907938,2907426,6365787,6910835,6386803,2258030,4268588,6103618,93]";

    private const string Done = "\"done\":true,\"done_reason\":\"stop\",\"context\":" + Context + ",\"total_duration\":50000000,\"load_duration\":1200,"
        + "\"prompt_eval_count\":7,\"prompt_eval_duration\":20000000,\"eval_count\":2,\"eval_duration\":25000000}";

    [Fact]
    public async Task Generate_Streamed_LinesInOllamasShape()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("A").Say("B", 2).Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", """{"model":"demo","prompt":"hi"}""");

        (await response.LinesAsync()).ShouldBe(
        [
            $$"""{"model":"demo",{{At}},"response":"A","done":false}""",
            $$"""{"model":"demo",{{At}},"response":"B","done":false}""",
            $$"""{"model":"demo",{{At}},"response":"",{{Done}}""",
        ]);
    }

    [Fact]
    public async Task Generate_NotStreamed_OneObjectInOllamasShape()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("A").Say("B", 2).Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", """{"model":"demo","prompt":"hi","stream":false}""");

        (await response.TextAsync()).ShouldBe($$"""{"model":"demo",{{At}},"response":"AB",{{Done}}""");
    }

    [Theory]
    [InlineData("""{"model":"demo","prompt":"hi"}""", "<user>hi<assistant>")]
    [InlineData("""{"model":"demo","prompt":"hi","system":"be brief"}""", "<system>be brief<user>hi<assistant>")]
    [InlineData("""{"model":"demo","prompt":"<s>hi","raw":true}""", "<s>hi")]
    [InlineData("""{"model":"plain","prompt":"once upon"}""", "once upon")]
    public async Task Generate_Prompt_WrappedUnlessRaw(string request, string prompt)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", request);

        (await edge.Jobs.NextAsync()).Job.Prompt.ShouldBe(prompt);
    }

    [Theory]
    [InlineData("demo", "", "<user>hi<assistant>AB<user>and?<assistant>")]
    [InlineData("demo", ",\"system\":\"be brief\"", "<system>be brief<user>hi<assistant>AB<user>and?<assistant>")]
    [InlineData("plain", "", "hiABand?")]
    public async Task Generate_ContextOfAnEarlierAnswer_GoesOnFromThere(string model, string system, string prompt)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("C").Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", $$"""{"model":"{{model}}","prompt":"and?","context":{{Context}},"stream":false{{system}}}""");
        int[] next = JsonElement.Parse(await response.TextAsync()).GetProperty("context").Deserialize<int[]>()!;
        using HttpResponseMessage third = await edge.PostAsync("/api/generate", $$"""{"model":"{{model}}","prompt":"!","context":[{{string.Join(',', next)}}],"stream":false}""");

        (await edge.Jobs.NextAsync()).Job.Prompt.ShouldBe(prompt);
        (await edge.Jobs.NextAsync()).Job.Prompt.ShouldBe(model == "demo" ? prompt + "C<user>!<assistant>" : prompt + "C!");
    }

    [Theory]
    [InlineData("\"raw\":true")]
    [InlineData("\"keep_alive\":0", "")]
    public async Task Generate_RawOrNothingAsked_TellsNoContext(string field, string prompt = "hi")
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("A").Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", $$"""{"model":"demo","prompt":"{{prompt}}","stream":false,{{field}}}""");

        (await response.TextAsync()).ShouldNotContain("context");
    }

    [Fact]
    public async Task Generate_ContextWithRaw_BadRequest()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", $$"""{"model":"demo","prompt":"x","raw":true,"context":{{Context}}}""");

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldContain("raw mode does not support");
    }

    [Theory]
    [InlineData("""{"model":"demo"}""")]
    [InlineData("""{"model":"demo","prompt":"","keep_alive":"10m"}""")]
    public async Task Generate_EmptyPrompt_LoadsTheModel(string request)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish(FinishReason.Load);

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", request);

        (await response.TextAsync()).ShouldBe($$"""{"model":"demo",{{At}},"response":"","done":true,"done_reason":"load"}""");
        (await edge.Jobs.NextAsync()).Job.LoadOnly.ShouldBeTrue();
    }

    [Theory]
    [InlineData("0")]
    [InlineData("\"0s\"")]
    public async Task Generate_EmptyPromptWithKeepAliveZero_UnloadsTheModel(string keepAlive)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Finish(FinishReason.Unload);

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", $$"""{"model":"demo","keep_alive":{{keepAlive}}}""");

        (await response.TextAsync()).ShouldBe($$"""{"model":"demo",{{At}},"response":"","done":true,"done_reason":"unload"}""");
        (await edge.Jobs.NextAsync()).Job.UnloadOnly.ShouldBeTrue();
    }

    [Theory]
    [InlineData("/api/generate", "")]
    [InlineData("/api/chat", ",\"messages\":[]")]
    public async Task Unload_ModelThatOnlyEmbeds_LeavesToo(string path, string field)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Finish(FinishReason.Unload);

        using HttpResponseMessage response = await edge.PostAsync(path, $$"""{"model":"embed","keep_alive":0{{field}}}""");
        using HttpResponseMessage load = await edge.PostAsync(path, $$"""{"model":"embed"{{field}}}""");

        (await response.TextAsync()).ShouldEndWith("\"done_reason\":\"unload\"}");
        (await edge.Jobs.NextAsync()).Job.UnloadOnly.ShouldBeTrue();
        await load.ErrorAsync(HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("300", 300)]
    [InlineData("1.5", 1.5)]
    [InlineData("\"5m\"", 300)]
    [InlineData("\"1h2m3.5s\"", 3723.5)]
    [InlineData("\"250ms\"", 0.25)]
    [InlineData("\"+1m\"", 60)]
    [InlineData("0", 0)]
    [InlineData("-1", -0.001)]
    [InlineData("\"-1m\"", -0.001)]
    [InlineData("1e300", -0.001)]
    public async Task Generate_KeepAlive_GoesWithTheJob(string keepAlive, double seconds)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("x").Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", $$"""{"model":"demo","prompt":"hi","keep_alive":{{keepAlive}}}""");

        // Negative, or longer than can be told: for good.
        (await edge.Jobs.NextAsync()).Job.KeepAlive.ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Fact]
    public async Task Generate_EmptyPromptOfUnknownModel_NotFound()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", """{"model":"nope"}""");

        (await response.ErrorAsync(HttpStatusCode.NotFound)).ShouldBe("model 'nope' not found");
    }

    [Fact]
    public async Task Generate_SystemForModelWithoutTemplate_BadRequest()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", """{"model":"plain","prompt":"x","system":"y"}""");

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldContain("no chat template");
    }
}
