using System.Net;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.Idempotency;

public sealed class IdempotencyTests
{
    private const string Hello = """{"model":"demo","prompt":"hi"}""";
    private static readonly (string, string) Key = ("Idempotency-Key", "k-1");

    /// <summary>Unlike any other wait of the edge, so that its timer can be told from theirs.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(7.5);

    [Fact]
    public async Task SameKeySameBody_Finished_ReplayedWithoutARun()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("once").Finish();

        using HttpResponseMessage first = await edge.PostAsync("/api/generate", Hello, Key);
        string text = await first.TextAsync();
        using HttpResponseMessage second = await edge.PostAsync("/api/generate", Hello, Key);

        (await second.TextAsync()).ShouldBe(text);
        first.Headers.Contains("idempotency-replayed").ShouldBeFalse();
        second.Headers.GetValues("idempotency-replayed").ShouldBe(["true"]);
        edge.Jobs.Count.ShouldBe(1);
    }

    [Fact]
    public async Task SameKeySameBody_ModelGoneSince_StillReplayed()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("once").Finish();
        using HttpResponseMessage first = await edge.PostAsync("/api/generate", Hello, Key);
        await first.TextAsync();
        edge.Models.Remove("demo");

        using HttpResponseMessage second = await edge.PostAsync("/api/generate", Hello, Key);

        (await second.TextAsync()).ShouldContain("once");
    }

    [Fact]
    public async Task SameKeySameBody_StillRunning_BothGetAllOfIt()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        Task<HttpResponseMessage> first = edge.PostAsync("/api/generate", Hello, Key);
        StartedJob job = await edge.Jobs.NextAsync();
        job.Accept().Say("a");
        Task<HttpResponseMessage> second = edge.PostAsync("/api/generate", Hello, Key);
        using HttpResponseMessage one = await first;
        using HttpResponseMessage two = await second;

        job.Say("b").Finish();

        string[] lines = await one.LinesAsync();
        lines.Length.ShouldBe(3);
        (await two.LinesAsync()).ShouldBe(lines);
        edge.Jobs.Count.ShouldBe(1);
    }

    [Fact]
    public async Task SameKeyOtherBody_UnprocessableNamingTheKey()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish();
        using HttpResponseMessage first = await edge.PostAsync("/api/generate", Hello, Key);
        await first.TextAsync();

        using HttpResponseMessage second = await edge.PostAsync("/api/generate", Hello.Replace("hi", "ho", StringComparison.Ordinal), Key);

        (await second.ErrorAsync(HttpStatusCode.UnprocessableEntity)).ShouldContain("'k-1'");
    }

    [Fact]
    public async Task SameKey_FirstFailed_RunsAgain()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Fail(JobErrorKind.Busy, "full");
        using HttpResponseMessage first = await edge.PostAsync("/api/generate", Hello, Key);
        await first.ErrorAsync(HttpStatusCode.ServiceUnavailable);
        edge.Jobs.Script = job => job.Accept().Say("now").Finish();

        using HttpResponseMessage second = await edge.PostAsync("/api/generate", Hello, Key);

        (await second.TextAsync()).ShouldContain("now");
        edge.Jobs.Count.ShouldBe(2);
    }

    [Fact]
    public async Task SameKey_LifetimeOver_RunsAgain()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish();
        using HttpResponseMessage first = await edge.PostAsync("/api/generate", Hello, Key);
        await first.TextAsync();
        await edge.Time.WaitForTimerAsync(TimeSpan.FromMinutes(10), TestContext.Current.CancellationToken);

        edge.Time.Advance(TimeSpan.FromMinutes(10));
        using HttpResponseMessage second = await edge.PostAsync("/api/generate", Hello, Key);
        await second.TextAsync();

        edge.Jobs.Count.ShouldBe(2);
    }

    [Fact]
    public async Task ManyKeys_MemoryBoundReached_LeastRecentlyUsedRunsAgain()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync(options => options.IdempotencyBytes = 64 << 10);
        edge.Jobs.Script = job => job.Accept().Say(new string('x', 10_000)).Finish();
        await AskAsync("a");
        await AskAsync("b");
        await AskAsync("a"); // Used again: b goes first.
        await AskAsync("c");
        await AskAsync("d");
        edge.Jobs.Count.ShouldBe(4);

        await AskAsync("a");
        edge.Jobs.Count.ShouldBe(4);
        await AskAsync("b");
        edge.Jobs.Count.ShouldBe(5);

        async Task AskAsync(string key)
        {
            int before = edge.Jobs.Count;
            using HttpResponseMessage response = await edge.PostAsync("/api/generate", Hello, ("Idempotency-Key", key));
            await response.TextAsync();
            if (edge.Jobs.Count > before)
                await edge.Time.WaitForTimerAsync(TimeSpan.FromMinutes(10), TestContext.Current.CancellationToken); // It is kept by now.
        }
    }

    [Fact]
    public async Task KeyedRun_ClientLeavesAndComesBack_GoesOn()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync(options => options.IdempotencyGrace = Grace);
        StartedJob job = await LeaveAsync(edge);
        edge.Time.Advance(Grace - TimeSpan.FromSeconds(1));

        Task<HttpResponseMessage> back = edge.PostAsync("/api/generate", Hello, Key);
        using HttpResponseMessage response = await back;
        edge.Time.Advance(TimeSpan.FromSeconds(2));
        job.Say("b").Finish();

        string[] lines = await response.LinesAsync();
        lines.Length.ShouldBe(3);
        lines[0].ShouldContain("\"response\":\"a\"");
        edge.Jobs.Count.ShouldBe(1);
    }

    [Fact]
    public async Task KeyedRun_NobodyComesBack_CancelledAfterTheGraceAndForgotten()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync(options => options.IdempotencyGrace = Grace);
        StartedJob job = await LeaveAsync(edge);
        job.ClientGone.IsCancellationRequested.ShouldBeFalse();

        edge.Time.Advance(Grace);

        await job.WhenGoneAsync();
        edge.Jobs.Script = again => again.Accept().Say("anew").Finish();
        using HttpResponseMessage response = await edge.PostAsync("/api/generate", Hello, Key);
        (await response.TextAsync()).ShouldContain("anew");
    }

    [Theory]
    [InlineData("")]
    [InlineData("has space")]
    [InlineData("ü")]
    public async Task UnusableKey_BadRequest(string key)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        using SocketsHttpHandler handler = new() { RequestHeaderEncodingSelector = (_, _) => System.Text.Encoding.UTF8 };
        using HttpClient client = new(handler) { BaseAddress = edge.Client.BaseAddress };
        using HttpRequestMessage request = new(HttpMethod.Post, "/api/generate") { Content = new StringContent(Hello) };
        request.Headers.TryAddWithoutValidation("Idempotency-Key", key);

        using HttpResponseMessage response = await client.SendAsync(request, TestContext.Current.CancellationToken);

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldContain("Idempotency-Key");
    }

    /// <summary>A keyed run that has said "a" and whose client has left; the grace has begun.</summary>
    private static async Task<StartedJob> LeaveAsync(EdgeServer edge)
    {
        Task<HttpResponseMessage> pending = edge.PostAsync("/api/generate", Hello, Key);
        StartedJob job = await edge.Jobs.NextAsync();
        job.Accept().Say("a");
        HttpResponseMessage response = await pending;
        response.Dispose();
        await edge.Time.WaitForTimerAsync(Grace, TestContext.Current.CancellationToken);
        return job;
    }
}
