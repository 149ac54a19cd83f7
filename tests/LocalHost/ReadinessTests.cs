using System.Net;
using System.Text.Json;
using OllamaMax.Models;
using OllamaMax.TestKit;

namespace OllamaMax.LocalHost.Tests;

public sealed class ReadinessTests
{
    private static readonly Uri Edge = new("http://127.0.0.1:1/");

    private readonly WatchedTimeProvider _time = new();
    private readonly List<string> _said = [];

    [Fact]
    public async Task WaitAsync_ReadyAtOnce_SaysNothing()
    {
        await Readiness(HttpStatusCode.OK).WaitAsync(Edge, TestContext.Current.CancellationToken);

        _said.ShouldBeEmpty();
    }

    [Fact]
    public async Task WaitAsync_NeverReady_SaysWhatIsMissingAndGivesUp()
    {
        Task waiting = Readiness(HttpStatusCode.ServiceUnavailable).WaitAsync(Edge, TestContext.Current.CancellationToken);
        for (int seconds = 0; seconds < 130 && !waiting.IsCompleted; seconds++)
        {
            await _time.WaitForTimerAsync(TimeSpan.FromMilliseconds(50), TestContext.Current.CancellationToken);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        (await Should.ThrowAsync<StartException>(waiting)).Message.ShouldContain("no worker");
        _said.ShouldContain("waiting: no worker");
    }

    /// <summary>Held until the client has waited for long enough, or its caller no longer wants to.</summary>
    [Fact]
    public async Task WarmUpAsync_NoAnswer_IsAnErrorUnlessItIsCancelled()
    {
        using HttpClient http = new(new Silence()) { Timeout = TimeSpan.FromMilliseconds(1) };
        Readiness impatient = new(http, _said.Add, _time);
        using HttpClient patient = new(new Silence());
        using CancellationTokenSource stop = new();

        (await Should.ThrowAsync<StartException>(() => impatient.WarmUpAsync(Edge, Model, key: null, TestContext.Current.CancellationToken)))
            .Message.ShouldStartWith("the model demo:latest cannot be run: no answer within");
        Task stopped = new Readiness(patient, _said.Add, _time).WarmUpAsync(Edge, Model, key: null, stop.Token);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(stopped);
    }

    /// <summary>One that was long in coming has its status before its error.</summary>
    [Theory]
    [InlineData(200, "\n\n{\"error\":\"it does\\nnot fit\"}", "it does not fit")]
    [InlineData(503, "{\"error\":\"full\"}", "full")]
    [InlineData(502, "{}", "status 502")]
    public async Task WarmUpAsync_AnswerWithAnError_IsToldInOneLine(int status, string body, string says)
    {
        using HttpClient http = new(new Answer((HttpStatusCode)status, body));

        (await Should.ThrowAsync<StartException>(() => new Readiness(http, _said.Add, _time).WarmUpAsync(Edge, Model, key: null, TestContext.Current.CancellationToken)))
            .Message.ShouldBe($"the model demo:latest cannot be run: {says}");
    }

    private Readiness Readiness(HttpStatusCode status) => new(new(new Answer(status)), _said.Add, _time);

    private static ModelView Model => new()
    {
        Name = ModelName.Parse("demo"),
        Digest = "",
        Size = 0,
        ModifiedAt = default,
        Weights = "",
        WeightsSize = 0,
        Details = new("gguf", "llama", [], "", ""),
        Metadata = new Dictionary<string, JsonElement>(),
        ContextLength = 0,
        ParameterCount = 0,
        Capabilities = ["completion"],
    };

    private sealed class Answer(HttpStatusCode status, string body = "no worker\n") : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(status) { Content = new StringContent(body) });
    }

    private sealed class Silence : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            new TaskCompletionSource<HttpResponseMessage>().Task.WaitAsync(cancellationToken);
    }
}
