using System.Net;
using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;
using OllamaMax.Models;

namespace OllamaMax.Edge.Tests.Ollama;

/// <summary>What becomes of requests for a model that workers forward to: no prompt is rendered, the request itself is the job.</summary>
public sealed class ForwardedModelTests
{
    private static readonly ForwardedModel Far = new()
    {
        Kind = "ollama",
        Model = "far",
        Name = "far",
        Capabilities = ["completion", "tools", "thinking"],
        Family = "qwen3",
        ContextLength = 4096,
    };

    [Fact]
    public async Task Chat_Request_IsTheJob()
    {
        Job job = await JobAsync(
            "/api/chat",
            """
            {"model":"far","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{}}}]}],
             "tools":[{"function":{"name":"f"}}],"format":{"type":"object"},"think":"high","shift":false,"logprobs":true,
             "options":{"temperature":0.8,"num_ctx":100000,"num_gpu":7,"seed":5,"stop":["END"],"mirostat":null}}
            """);

        job.Model.ShouldBe(Far.Digest);
        job.Prompt.ShouldBeEmpty();
        job.Options.Grammar.ShouldBeNull();
        job.Options.TopLogprobs.ShouldBe(0);
        (job.Seed, job.Stop.ShouldHaveSingleItem()).ShouldBe((5UL, "END"));
        job.Forward.ShouldNotBeNull();
        job.Forward.Messages.Select(message => message.Role).ShouldBe(["user", "assistant"]);
        job.Forward.Messages[1].ToolCalls.ShouldHaveSingleItem();
        job.Forward.Tools.ShouldHaveSingleItem();
        job.Forward.Format!.Value.GetProperty("type").GetString().ShouldBe("object");
        (job.Forward.Think, job.Forward.ThinkLevel).ShouldBe((true, "high"));
        job.Forward.Options.ToDictionary(option => option.Key, option => option.Value.GetRawText())
            .ShouldBe(new Dictionary<string, string> { ["temperature"] = "0.8", ["num_ctx"] = "100000", ["num_gpu"] = "7", ["shift"] = "false" }, ignoreOrder: true);
    }

    [Fact]
    public async Task Generate_RawPrompt_GoesAsItIs()
    {
        Job job = await JobAsync("/api/generate", """{"model":"far","prompt":"1 + 1 =","raw":true}""");

        job.Forward.ShouldNotBeNull();
        job.Forward.Messages.ShouldBeEmpty();
        job.Forward.Prompt.ShouldBe("1 + 1 =");
        job.Forward.Options.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("/v1/chat/completions", "\"reasoning_effort\":\"xhigh\"", true, "high")]
    [InlineData("/v1/chat/completions", "\"reasoning_effort\":\"none\"", false, null)]
    [InlineData("/v1/chat/completions", "\"n\":1", null, null)]
    [InlineData("/v1/messages", "\"max_tokens\":9", false, null)]
    [InlineData("/v1/messages", "\"max_tokens\":9000,\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2000}", true, "low")]
    public async Task Chat_LevelOfReasoning_AsksToReason(string path, string fields, bool? think, string? level)
    {
        Job job = await JobAsync(path, $$"""{"model":"far","messages":[{"role":"user","content":"hi"}],{{fields}}}""");

        job.Forward.ShouldNotBeNull();
        (job.Forward.Think, job.Forward.ThinkLevel).ShouldBe((think, level));
    }

    [Fact]
    public async Task Chat_LevelOfReasoning_OfAModelThatDoesNotSayWhetherItCan_IsSentAlone()
    {
        Job job = await JobAsync(
            "/v1/chat/completions",
            """{"model":"far","messages":[{"role":"user","content":"hi"}],"reasoning_effort":"low"}""",
            Far with { Capabilities = ["completion"] });

        job.Forward.ShouldNotBeNull();
        (job.Forward.Think, job.Forward.ThinkLevel).ShouldBe((null, "low"));
    }

    [Theory]
    [InlineData("/v1/chat/completions", "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],\"tool_choice\":\"required\"", null)]
    [InlineData("/v1/chat/completions", "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}", "f")]
    [InlineData("/v1/messages", "\"max_tokens\":9,\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}],\"tool_choice\":{\"type\":\"any\"}", null)]
    [InlineData("/v1/messages", "\"max_tokens\":9,\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}],\"tool_choice\":{\"type\":\"tool\",\"name\":\"f\"}", "f")]
    public async Task Chat_CallIsRequired_IsHandedOnWhereTheServerAndAllItsWorkersCan(string path, string fields, string? name)
    {
        string body = $$"""{"model":"far","messages":[{"role":"user","content":"hi"}],{{fields}}}""";
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(Far.ToView(ModelName.Parse(Far.Name)));

        Job job = await JobAsync(path, body, Far with { CanRequireCalls = true });
        using HttpResponseMessage refused = await edge.PostAsync(path, body);

        job.Forward.ShouldNotBeNull();
        (job.Forward.RequiresCalls, job.Forward.RequiredTool).ShouldBe((true, name));
        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await refused.TextAsync()).ShouldContain("tool_choice can only be auto or none");
    }

    [Theory]
    [InlineData("""{"model":"far","prompt":"hi","template":"{{ messages }}"}""", "template")]
    [InlineData("""{"model":"far","prompt":"hi","options":{"x":"\ud800"}}""", "Unicode")]
    [InlineData("""{"model":"far","prompt":"hi","_debug_render_only":true}""", "\\\"far\\\" does not support _debug_render_only: ")]
    public async Task Generate_WhatCannotBeForwarded_IsA400(string body, string what)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(Far.ToView(ModelName.Parse(Far.Name)));

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", body);

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await response.TextAsync()).ShouldContain(what);
    }

    [Fact]
    public async Task Show_ForwardedModel_SaysWhatItsServerSays()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(Far.ToView(ModelName.Parse(Far.Name)));

        using HttpResponseMessage response = await edge.PostAsync("/api/show", """{"model":"far"}""");

        JsonElement show = JsonElement.Parse(await response.TextAsync());
        show.GetProperty("model_info").GetProperty("qwen3.context_length").GetInt32().ShouldBe(4096);
        show.GetProperty("capabilities").EnumerateArray().Select(item => item.GetString()).ShouldBe(["completion", "tools", "thinking"]);
    }

    private static async Task<Job> JobAsync(string path, string body, ForwardedModel? model = null)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add((model ?? Far).ToView(ModelName.Parse(Far.Name)));
        edge.Jobs.Script = job => job.Accept().Say("x").Finish();
        using HttpResponseMessage response = await edge.PostAsync(path, body);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.TextAsync());
        return (await edge.Jobs.NextAsync()).Job;
    }
}
