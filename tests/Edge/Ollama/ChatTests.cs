using System.Net;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.Ollama;

public sealed class ChatTests
{
    private const string Hello = """{"model":"demo","messages":[{"role":"user","content":"hi"}]}""";
    private const string At = "\"created_at\":\"2026-01-02T03:04:05.678Z\"";
    private const string Done = "\"done\":true,\"done_reason\":\"stop\",\"total_duration\":50000000,\"load_duration\":1200,"
        + "\"prompt_eval_count\":7,\"prompt_eval_duration\":20000000,\"eval_count\":2,\"eval_duration\":25000000}";

    [Fact]
    public async Task Chat_Streamed_LinesInOllamasShape()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("Grüß").Say(" <b>😀\n\"", 2).Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/chat", Hello);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.ToString().ShouldBe("application/x-ndjson");
        (await response.LinesAsync()).ShouldBe(
        [
            $$"""{"model":"demo",{{At}},"message":{"role":"assistant","content":"Grüß"},"done":false}""",
            $$"""{"model":"demo",{{At}},"message":{"role":"assistant","content":" <b>😀\n\""},"done":false}""",
            $$"""{"model":"demo",{{At}},"message":{"role":"assistant","content":""},{{Done}}""",
        ]);
    }

    [Fact]
    public async Task Chat_NotStreamed_OneObjectInOllamasShape()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("Hello ").Say("you", 2).Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/chat", Hello[..^1] + ""","stream":false}""");

        response.Content.Headers.ContentType!.ToString().ShouldBe("application/json; charset=utf-8");
        (await response.TextAsync()).ShouldBe(
            $$"""{"model":"demo",{{At}},"message":{"role":"assistant","content":"Hello you"},{{Done}}""");
    }

    [Fact]
    public async Task Chat_LengthReached_SaysSo()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("x").Finish(FinishReason.Length);

        using HttpResponseMessage response = await edge.PostAsync("/api/chat", Hello);

        (await response.LinesAsync())[^1].ShouldContain("\"done\":true,\"done_reason\":\"length\",");
    }

    [Fact]
    public async Task Chat_NoMessages_LoadsTheModel()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish(FinishReason.Load);

        using HttpResponseMessage response = await edge.PostAsync("/api/chat", """{"model":"demo","messages":[]}""");

        (await response.TextAsync()).ShouldBe(
            $$"""{"model":"demo",{{At}},"message":{"role":"assistant","content":""},"done":true,"done_reason":"load"}""");
        (await edge.Jobs.NextAsync()).Job.LoadOnly.ShouldBeTrue();
    }

    [Fact]
    public async Task Chat_Request_BecomesTheJob()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync(options => options.JobDeadline = TimeSpan.FromMinutes(3));
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/chat", """
            {
              "model": "demo:latest", "keep_alive": "5m", "think": false, "format": "", "someday": [1],
              "messages": [{"role": "System", "content": "be brief"}, {"role": "user", "content": "hi", "images": []}],
              "tools": [{"type": "function", "function": {"name": "clock", "parameters": {}}}],
              "options": {
                "num_ctx": 4096, "num_predict": 40.0, "temperature": 0.25, "top_k": 5, "top_p": 0.5, "min_p": 0.1, "repeat_penalty": 1.5,
                "repeat_last_n": 8, "presence_penalty": 0.5, "frequency_penalty": -0.5, "seed": 42, "stop": ["a", "b"],
                "mirostat": 2, "mirostat_tau": 3, "mirostat_eta": 0.25, "typical_p": 0.75, "num_keep": -1, "use_mmap": true, "num_gpu": 99, "unheard_of": {}
              }
            }
            """, ("x-request-id", "mine-1"));

        Job job = (await edge.Jobs.NextAsync()).Job;
        job.Prompt.ShouldBe("[clock]<system>be brief<user>hi<assistant>");
        job.Options.ShouldBe(new()
        {
            NumCtx = 1024, // The model's own limit.
            NumPredict = 40,
            Temperature = 0.25f,
            TopK = 5,
            TopP = 0.5f,
            MinP = 0.1f,
            RepeatPenalty = 1.5f,
            RepeatLastN = 8,
            PresencePenalty = 0.5f,
            FrequencyPenalty = -0.5f,
            Mirostat = 2,
            MirostatTau = 3,
            MirostatEta = 0.25f,
            TypicalP = 0.75f,
            NumKeep = -1,
        });
        job.Seed.ShouldBe(42UL);
        job.Stop.ShouldBe(["a", "b"]);
        job.Model.ShouldBe(FixedModels.Weights);
        job.Tenant.ShouldBe("local");
        job.RequestId.ShouldBe("mine-1");
        job.Deadline.ShouldBe(TimeSpan.FromMinutes(3));
        job.Id.Length.ShouldBe(26);
        response.Headers.GetValues("x-request-id").ShouldBe(["mine-1"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData(""", "options": {"seed": -1}""")]
    [InlineData(""", "options": {"seed": null}""")]
    public async Task Chat_NoSeed_DrawsOne(string rest)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish();
        string request = Hello[..^1] + rest + "}";

        using HttpResponseMessage first = await edge.PostAsync("/api/chat", request);
        using HttpResponseMessage second = await edge.PostAsync("/api/chat", request);

        (await edge.Jobs.NextAsync()).Job.Seed.ShouldNotBe((await edge.Jobs.NextAsync()).Job.Seed);
    }

    [Fact]
    public async Task Chat_OptionsOutsideTheEngine_AreNormalised()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync(
            "/api/chat", Hello[..^1] + ""","options":{"num_predict":-2,"top_k":-1,"num_ctx":0,"repeat_last_n":-1}}""");

        InferenceOptions options = (await edge.Jobs.NextAsync()).Job.Options;
        (options.NumPredict, options.TopK, options.NumCtx, options.RepeatLastN).ShouldBe((-2, 0, null, -1));
        (options.Shift, options.TopLogprobs, options.Grammar).ShouldBe((false, null, null));
    }

    [Theory]
    [InlineData("0", -1)]
    [InlineData("-1", -1)]
    [InlineData("-2", -2)]
    [InlineData("-7", -1)]
    [InlineData("7", 7)]
    public async Task Chat_NumPredict_LimitsAsInOllama(string given, int wanted)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/chat", Hello[..^1] + ",\"options\":{\"num_predict\":" + given + "}}");

        (await edge.Jobs.NextAsync()).Job.Options.NumPredict.ShouldBe(wanted);
    }

    [Fact]
    public async Task Chat_ShiftAndLogitBias_ReachTheEngine()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync(
            "/api/chat", Hello[..^1] + ""","shift":true,"options":{"logit_bias":{"7":-100,"12":1.5}}}""");

        InferenceOptions options = (await edge.Jobs.NextAsync()).Job.Options;
        options.Shift.ShouldBeTrue();
        options.LogitBias.ShouldBe(new Dictionary<int, float> { [7] = -100, [12] = 1.5f });
    }

    [Fact]
    public async Task Chat_AnyContentType_IsAccepted()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("ok").Finish();
        using ByteArrayContent none = new([0xEF, 0xBB, 0xBF, .. System.Text.Encoding.UTF8.GetBytes(Hello)]);
        using StringContent form = new(Hello, System.Text.Encoding.UTF8, "application/x-www-form-urlencoded");

        using HttpResponseMessage first = await edge.SendAsync(HttpMethod.Post, "/api/chat", none);
        using HttpResponseMessage second = await edge.SendAsync(HttpMethod.Post, "/api/chat", form);

        first.StatusCode.ShouldBe(HttpStatusCode.OK);
        second.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Chat_ModelsTemplateRefuses_BadRequestInItsWords()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync(
            "/api/chat", """{"model":"demo","messages":[{"role":"intruder","content":"hi"}]}""");

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldContain("no intruders");
    }

    [Theory]
    [InlineData("plain", "no chat template")]
    [InlineData("embed", "\"embed\" does not support chat")]
    public async Task Chat_ModelCannot_BadRequest(string model, string message)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync("/api/chat", Hello.Replace("demo", model, StringComparison.Ordinal));

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldContain(message);
    }
}
