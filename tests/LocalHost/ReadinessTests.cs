using System.Net;
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

    private Readiness Readiness(HttpStatusCode status) => new(new(new Answer(status)), _said.Add, _time);

    private sealed class Answer(HttpStatusCode status) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(status) { Content = new StringContent("no worker\n") });
    }
}
