using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.GpuWorker.Forwarding;
using OllamaMax.GpuWorker.Tests.Engines;
using OllamaMax.Inference.Tests.Batching;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Forwarding;
using OllamaMax.Models;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests.Forwarding;

/// <summary>The engine that forwards, against a server with OpenAI's API: the contract, and what becomes of requests, answers and failures.</summary>
public sealed class OpenAIForwardingTests : AnyEngineContract, IAsyncLifetime
{
    private readonly List<ForwardedServers> _started = [];
    private OpenAIServer _server = null!;

    protected override int Endless => -1;

    public async ValueTask InitializeAsync() => _server = await OpenAIServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (ForwardedServers servers in _started)
            await servers.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task StartAsync_Models_AreOfferedUnderTheServersNames()
    {
        ForwardedServers servers = await ServersAsync("openai");

        ForwardedModel model = servers.Models.ShouldHaveSingleItem();
        (model.Name, model.ContextLength, model.Kind).ShouldBe((OpenAIServer.Model, 4096, "openai"));
        servers.Digests.ShouldBe([ForwardedDigest.Of("openai", OpenAIServer.Model, null)]);
        servers.CanRun(servers.Digests[0]).ShouldBeTrue();
        servers.CanRun(ForwardedDigest.Of("openai", "another", null)).ShouldBeFalse();
        servers.CanRun(ModelDigest.Of([1])).ShouldBeTrue();
    }

    /// <summary>Only llama.cpp's server says it; what no server says it decides itself.</summary>
    [Theory]
    [InlineData("llama-server", """{"modalities":{"vision":true,"audio":false}}""", true, true)]
    [InlineData("llama-server", """{"modalities":{"vision":false,"audio":true}}""", false, false)]
    [InlineData("llama-server", """{"total_slots":1}""", true, false)]
    [InlineData("llama-server", "no JSON", true, false)]
    [InlineData("llama-server", null, true, false)]
    [InlineData("vllm", """{"modalities":{"vision":false}}""", true, false)]
    [InlineData("openai", null, true, false)]
    public async Task StartAsync_WhatTheServerSaysOfImages_IsTold(string kind, string? props, bool takes, bool sees)
    {
        _server.Props = props;

        ForwardedModel model = (await ServersAsync(kind)).Models.ShouldHaveSingleItem();

        (model.TakesImages, model.Capabilities.Contains("vision")).ShouldBe((takes, sees));
        // A server that has many models is not to load each for it.
        _server.PropsQuery.Value.ShouldBe(kind == "llama-server" ? "?model=no%20name%3Aat%3Aall&autoload=false" : null);
    }

    [Fact]
    public async Task RunAsync_Chat_AllOfTheAnswerComesThrough()
    {
        _server.Chunks =
        [
            """{"index":0,"delta":{"role":"assistant","content":""}}""",
            """{"index":0,"delta":{"reasoning_content":"Hm. "}}""",
            """{"index":0,"delta":{"reasoning":"Yes."}}""",
            """{"index":0,"delta":{"content":"Grüße 🙂"}}""",
            """{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}}""",
            """{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\":"}}]}}""",
            """{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}}""",
            """{"index":0,"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}}]}}""",
            """{"index":0,"delta":{},"finish_reason":"tool_calls"}""",
        ];

        var (end, sink) = await RunAsync(await StartAsync(), Request("hi"));

        end.Reason.ShouldBe(EndReason.Stop);
        end.Tokens.ShouldBe(9);
        (end.Start!.PromptTokens, end.Start.CachedTokens).ShouldBe((11, 3));
        sink.Start.ShouldNotBeNull();
        sink.Tokens.ShouldBe([PieceKind.Thinking, PieceKind.Thinking, PieceKind.Text, PieceKind.ToolCall, PieceKind.ToolCall]);
        sink.Text.ShouldBe("""Hm. Yes.Grüße 🙂{"name":"f","arguments":{"x":1}}{"name":"g","arguments":{}}""");
    }

    [Fact]
    public async Task RunAsync_Logprobs_EachTokenIsAPieceOfItsOwn()
    {
        _server.Chunks =
        [
            """{"index":0,"delta":{"content":"ab"},"logprobs":{"content":[{"token":"a","logprob":-0.5,"top_logprobs":[{"token":"x","logprob":-1}]},{"token":"b","bytes":[98],"logprob":-2}]}}""",
            """{"index":0,"delta":{},"finish_reason":"stop"}""",
        ];
        EngineRequest request = Request("hi");

        var (_, sink) = await RunAsync(await StartAsync(), request with { Options = request.Options with { TopLogprobs = 1 } });

        sink.Tokens.ShouldBe([PieceKind.Text, PieceKind.Text]);
        sink.Logprobs.Select(one => one.Logprob).ShouldBe([-0.5f, -2f]);
        Encoding.UTF8.GetString(sink.Logprobs[0].Top.ShouldHaveSingleItem().Piece).ShouldBe("x");
        Body().GetProperty("top_logprobs").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task RunAsync_CallCutOffByTheLimit_IsText()
    {
        _server.Chunks =
        [
            """{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]}}""",
            """{"index":0,"delta":{},"finish_reason":"length"}""",
        ];

        var (end, sink) = await RunAsync(await StartAsync(), Request("hi"));

        end.Reason.ShouldBe(EndReason.Length);
        sink.Tokens.ShouldBe([PieceKind.Text]);
        sink.Text.ShouldBe("{\"x\":");
    }

    [Fact]
    public async Task RunAsync_Request_IsInTheServersWords()
    {
        Environment.SetEnvironmentVariable("OLLAMAMAX_TEST_FORWARD_KEY", "hush");
        IInferenceEngine engine = Engine(await ServersAsync("vllm:OLLAMAMAX_TEST_FORWARD_KEY"));
        ForwardedPrompt forward = new()
        {
            Messages =
            [
                new("user", "weather?"),
                new("assistant", "") { ToolCalls = [JsonElement.Parse("""{"function":{"name":"get","arguments":{"city":"Oslo"}}}""")] },
                new("tool", "rain") { ToolName = "get" },
            ],
            Tools = [JsonElement.Parse("""{"function":{"name":"get","parameters":{}}}""")],
            Format = JsonElement.Parse("""{"type":"object"}"""),
            Think = false,
            Options = Options("""{"temperature":0.25,"top_k":7,"repeat_penalty":1.5,"num_predict":3,"logit_bias":{"5":-100}}"""),
        };

        await RunAsync(engine, new EngineRequest { Prompt = "", Options = new(), Seed = ulong.MaxValue, Forward = forward, Stop = ["END"] });

        JsonElement body = Body();
        _server.Headers!.Authorization.ToString().ShouldBe("Bearer hush");
        body.GetProperty("model").GetString().ShouldBe(OpenAIServer.Model);
        body.GetProperty("temperature").GetDouble().ShouldBe(0.25);
        body.GetProperty("top_k").GetInt32().ShouldBe(7);
        body.GetProperty("repetition_penalty").GetDouble().ShouldBe(1.5);
        body.GetProperty("max_tokens").GetInt32().ShouldBe(3);
        body.GetProperty("seed").GetInt32().ShouldBe(int.MaxValue);
        body.GetProperty("stop")[0].GetString().ShouldBe("END");
        body.GetProperty("logit_bias").GetProperty("5").GetInt32().ShouldBe(-100);
        body.GetProperty("chat_template_kwargs").GetProperty("enable_thinking").GetBoolean().ShouldBeFalse();
        body.GetProperty("response_format").GetProperty("json_schema").GetProperty("schema").GetProperty("type").GetString().ShouldBe("object");
        body.GetProperty("tools")[0].GetProperty("type").GetString().ShouldBe("function");
        JsonElement call = body.GetProperty("messages")[1].GetProperty("tool_calls")[0];
        call.GetProperty("function").GetProperty("arguments").GetString().ShouldBe("""{"city":"Oslo"}""");
        body.GetProperty("messages")[2].GetProperty("tool_call_id").GetString().ShouldBe(call.GetProperty("id").GetString());
    }

    [Theory]
    [InlineData("openai", null, "low", "low", null)]
    [InlineData("openai", false, null, null, null)]
    [InlineData("vllm", true, "high", "high", true)]
    [InlineData("llama-server", false, null, null, false)]
    public async Task RunAsync_Reasoning_IsAskedForAsTheServerCan(string kind, bool? think, string? level, string? effort, bool? isEnabled)
    {
        IInferenceEngine engine = Engine(await ServersAsync(kind));
        EngineRequest request = Request("hi", tokens: 3);

        var (end, _) = await RunAsync(engine, request with { Forward = request.Forward! with { Think = think, ThinkLevel = level } });

        end.Reason.ShouldBe(EndReason.Length);
        Body().Text("reasoning_effort").ShouldBe(effort);
        (Body().Find("chat_template_kwargs")?.Find("enable_thinking")?.GetBoolean()).ShouldBe(isEnabled);
        (Body().Find("chat_template_kwargs")?.Find("thinking")?.GetBoolean()).ShouldBe(isEnabled);
    }

    [Theory]
    [InlineData("openai", null, 2, "\"required\"")]
    [InlineData("vllm", "g", 2, """{"type":"function","function":{"name":"g"}}""")]
    [InlineData("llama-server", null, 2, "\"required\"")]
    [InlineData("llama-server", "g", 1, "\"required\"")]
    public async Task RunAsync_CallIsRequired_IsAskedForAsTheServerCan(string kind, string? name, int tools, string choice)
    {
        ForwardedServers servers = await ServersAsync(kind);
        ForwardedPrompt forward = new()
        {
            Messages = [new("user", "weather?")],
            Tools = [JsonElement.Parse("""{"function":{"name":"f"}}"""), JsonElement.Parse("""{"function":{"name":"g"}}""")],
            RequiresCalls = true,
            RequiredTool = name,
            Options = Options("""{"num_predict":3}"""),
        };

        await RunAsync(Engine(servers), Request("hi") with { Forward = forward });

        servers.Models[0].CanRequireCalls.ShouldBeTrue();
        Body().GetProperty("tool_choice").GetRawText().ShouldBe(choice);
        Body().Items("tools").Count().ShouldBe(tools);
        Body().Items("tools").Last().GetProperty("function").GetProperty("name").GetString().ShouldBe("g");
    }

    [Theory]
    [InlineData("""{"num_ctx":100}""", "num_ctx")]
    [InlineData("""{"top_k":4}""", "top_k")]
    [InlineData("""{"num_predict":-2}""", "num_predict")]
    [InlineData("""{"temprature":1}""", "temprature")]
    public async Task RunAsync_OptionThatTheServerDoesNotHave_IsInvalidAndNamed(string options, string name)
    {
        EngineRequest request = Request("hi");

        var (end, sink) = await RunAsync(await StartAsync(), request with { Forward = request.Forward! with { Options = Options(options) } });

        end.Reason.ShouldBe(EndReason.Invalid);
        end.Error.ShouldNotBeNull().ShouldStartWith(name);
        sink.Tokens.ShouldBeEmpty();
        _server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task RunAsync_RawPrompt_IsCompleted()
    {
        EngineRequest request = Request("hi") with { Forward = new ForwardedPrompt { Prompt = "1 + 1 =", Options = Options("""{"num_predict":3}""") } };

        var (end, sink) = await RunAsync(await StartAsync(), request);

        end.Reason.ShouldBe(EndReason.Length);
        sink.Text.ShouldBe("0 1 2 ");
        Body().GetProperty("prompt").GetString().ShouldBe("1 + 1 =");
    }

    [Theory]
    [InlineData(400, """{"error":{"message":"too long","type":"BadRequestError"}}""", EndReason.Invalid, "too long")]
    [InlineData(422, """{"detail":"no such field"}""", EndReason.Invalid, "no such field")]
    [InlineData(400, """{"object":"error","message":"no template"}""", EndReason.Invalid, "no template")]
    [InlineData(404, """{"error":"model not found"}""", EndReason.Failed, "404: model not found")]
    [InlineData(401, "", EndReason.Failed, "401")]
    [InlineData(503, "<html>", EndReason.Failed, "503: <html>")]
    public async Task RunAsync_Refused_WhoIsToBlameDecides(int status, string body, EndReason reason, string message)
    {
        _server.Refuses = (status, body);

        var (end, sink) = await RunAsync(await StartAsync(), Request("hi"));

        end.Reason.ShouldBe(reason);
        end.Error.ShouldNotBeNull().ShouldContain(message);
        sink.Start.ShouldBeNull();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task RunAsync_CutStream_FailsWithWhatThereWas(int at)
    {
        _server.CutAt = at;

        var (end, sink) = await RunAsync(await StartAsync(), Request("hi"));

        end.Reason.ShouldBe(EndReason.Failed);
        sink.Tokens.Length.ShouldBeLessThanOrEqualTo(at);
    }

    [Theory]
    [InlineData("""{"index":0,"delta":{"content":"a"}},{}],"error":{"message":"out of memory"},"x":[{}""", "out of memory")]
    [InlineData("not JSON", "")]
    public async Task RunAsync_ErrorInTheStream_Fails(string chunk, string message)
    {
        _server.Chunks = ["""{"index":0,"delta":{"content":"a"}}""", chunk];

        var (end, sink) = await RunAsync(await StartAsync(), Request("hi"));

        end.Reason.ShouldBe(EndReason.Failed);
        end.Error.ShouldNotBeNull().ShouldContain(message);
        sink.Text.ShouldBe("a");
    }

    [Fact]
    public async Task RunAsync_Cancelled_ClosesTheRequestAtOnce()
    {
        IInferenceEngine engine = await StartAsync();
        _server.BeforePiece = (index, left) => index < 2 ? Task.CompletedTask : Task.Delay(Timeout.Infinite, left);
        using var cancel = new CancellationTokenSource();
        var sink = new CollectingSink();
        Task<AttemptEnd> running = engine.RunAsync(Request("hi"), sink, cancel.Token).AsTask();
        await sink.WaitForAsync(2);

        await cancel.CancelAsync();

        (await running).Reason.ShouldBe(EndReason.Cancelled);
        await _server.ClientLeft.Task.WaitAsync(Cancellation);
    }

    [Fact]
    public async Task RunAsync_TokensToGoOnFrom_Fails()
    {
        var (end, _) = await RunAsync(await StartAsync(), Request("hi") with { ResumeTokens = [PieceKind.Text] });

        end.Reason.ShouldBe(EndReason.Failed);
        _server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task EmbedAsync_Texts_HaveTheServersVectorsInTheirOrder()
    {
        IInferenceEngine engine = await StartAsync();
        VectorsSink sink = new();

        AttemptEnd end = await engine.EmbedAsync(new EmbedRequest { Inputs = ["skipped", "abc", ""], Skip = 1 }, sink, Cancellation);

        end.Reason.ShouldBe(EndReason.Stop);
        sink.Vectors.Keys.ShouldBe([1, 2]);
        sink.Vectors[1].ShouldBe([3f, 4f]);
        sink.Vectors[2].ShouldBe([0, 4]);
        sink.Tokens.ShouldBe(9);
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("vllm")]
    public async Task EmbedAsync_ContextThatTheServerHasNoWordFor_IsInvalidAndNamed(string kind)
    {
        AttemptEnd end = await Engine(await ServersAsync(kind)).EmbedAsync(new EmbedRequest { Inputs = ["abc"], Context = 100, KeepAlive = TimeSpan.FromMinutes(1) }, new VectorsSink(), Cancellation);

        end.Reason.ShouldBe(EndReason.Invalid);
        end.Error.ShouldNotBeNull().ShouldStartWith("num_ctx");
        _server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task KeepAsync_ServerGoesAndComesBack_ItsModelsToo()
    {
        WatchedTimeProvider time = new();
        ForwardedServers servers = await ServersAsync("openai", time: time);
        int port = _server.Url.Port;
        using var stop = new CancellationTokenSource();
        Task keeping = Task.WhenAll(servers.Keep(stop.Token));
        IInferenceEngine engine = Engine(servers);

        Task gone = UntilAsync(servers, () => servers.Digests.Count == 0);
        await _server.DisposeAsync();
        // Nobody waits a minute to find out: a request that fails has the server asked at once.
        (await RunAsync(engine, Request("hi"))).End.Reason.ShouldBe(EndReason.Failed);
        await gone;
        Task back = UntilAsync(servers, () => servers.Digests.Count == 1);
        _server = await OpenAIServer.StartAsync(port);
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(5), Cancellation);
        time.Advance(TimeSpan.FromSeconds(5));
        await back;
        (await RunAsync(engine, Request("hi"))).End.Reason.ShouldBe(EndReason.Length);

        await stop.CancelAsync();
        await keeping;
    }

    /// <summary>It lists the model before it can answer for it.</summary>
    [Fact]
    public async Task KeepAsync_LlamaServerLoads_ItsModelIsOfferedWhenItHas()
    {
        WatchedTimeProvider time = new();
        (_server.HasOneModel, _server.Refuses) = (true, (503, "Loading model"));
        ForwardedServers servers = await ServersAsync("llama-server", time: time);
        servers.Digests.ShouldBeEmpty();

        (_server.Refuses, _server.Props) = (null, "{}");
        using var stop = new CancellationTokenSource();
        Task keeping = Task.WhenAll(servers.Keep(stop.Token));
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(5), Cancellation);
        time.Advance(TimeSpan.FromSeconds(5));

        await UntilAsync(servers, () => servers.Digests.Count == 1);
        await stop.CancelAsync();
        await keeping;
    }

    internal override async Task<IInferenceEngine> StartAsync(int slots = 4) => Engine(await ServersAsync("openai", slots));

    internal override EngineRequest Request(string prompt, int tokens = 24) => new()
    {
        Prompt = "",
        Options = new InferenceOptions(),
        Seed = 7,
        Forward = new ForwardedPrompt { Messages = [new("user", prompt)], Options = tokens > 0 ? Options($$"""{"num_predict":{{tokens}}}""") : Options("{}") },
    };

    private static Dictionary<string, JsonElement> Options(string json) =>
        JsonElement.Parse(json).EnumerateObject().ToDictionary(option => option.Name, option => option.Value);

    private static IInferenceEngine Engine(ForwardedServers servers) => servers.Use(servers.Digests[0]).ShouldNotBeNull().Engine;

    private static async Task UntilAsync(ForwardedServers servers, Func<bool> condition)
    {
        var met = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look()
        {
            if (condition())
                met.TrySetResult();
        }

        servers.Changed += Look;
        Look();
        await met.Task.WaitAsync(Cancellation);
        servers.Changed -= Look;
    }

    private JsonElement Body() => _server.Requests.ShouldHaveSingleItem();

    private async Task<ForwardedServers> ServersAsync(string kind, int slots = 4, TimeProvider? time = null)
    {
        var options = new WorkerOptions
        {
            Edge = new Uri("http://127.0.0.1:1/"),
            Data = ".",
            Name = "test",
            Forward = [ForwardTarget.Parse($"{kind}={_server.Url}")],
            ForwardSlots = slots,
        };
        var servers = new ForwardedServers(Microsoft.Extensions.Options.Options.Create(options), time ?? TimeProvider.System, NullLogger<ForwardedServer>.Instance);
        _started.Add(servers);
        await servers.StartAsync(Cancellation);
        return servers;
    }
}
