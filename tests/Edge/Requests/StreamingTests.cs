using System.Net;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.Requests;

public sealed class StreamingTests
{
    private const string Hello = """{"model":"demo","prompt":"hi"}""";
    private const string Whole = """{"model":"demo","prompt":"hi","stream":false}""";
    private const string Heartbeat = """{"model":"demo","created_at":"2026-01-02T03:04:15.678Z","response":"","done":false}""";

    [Fact]
    public async Task Stream_AcceptedThenFoundInvalid_TheStatusSaysSo()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        Task<HttpResponseMessage> pending = edge.PostAsync("/api/generate", Hello);
        StartedJob job = await edge.Jobs.NextAsync();
        pending.IsCompleted.ShouldBeFalse();

        job.Accept().Fail(JobErrorKind.Invalid, "the prompt is too long");

        using HttpResponseMessage response = await pending;
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await response.TextAsync()).ShouldBe("""{"error":"the prompt is too long"}""");
    }

    [Fact]
    public async Task Stream_TextComes_EachReachesTheClientBeforeTheNext()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        Task<HttpResponseMessage> pending = edge.PostAsync("/api/generate", Hello);
        StartedJob job = await edge.Jobs.NextAsync();
        job.Accept().Say("first");
        using HttpResponseMessage response = await pending;
        using StreamReader lines = await ReadAsync(response);
        (await lines.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldNotBeNull().ShouldContain("\"response\":\"first\"");

        foreach (string text in (string[])["a", "b", "c"])
        {
            job.Say(text);
            (await lines.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldNotBeNull().ShouldContain($"\"response\":\"{text}\"");
        }

        job.Finish();
        (await lines.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldNotBeNull().ShouldContain("\"done\":true");
        (await lines.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldBeNull();
    }

    [Fact]
    public async Task Stream_NobodyAccepts_HeadersAfterTenSecondsThenHeartbeats()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        Task<HttpResponseMessage> pending = edge.PostAsync("/api/generate", Hello);
        StartedJob job = await edge.Jobs.NextAsync();
        await edge.Time.WaitForTimerAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        pending.IsCompleted.ShouldBeFalse();

        edge.Time.Advance(TimeSpan.FromSeconds(10));

        using HttpResponseMessage response = await pending;
        using StreamReader lines = await ReadAsync(response);
        (await lines.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldBe(Heartbeat);
        await edge.Time.WaitForTimerAsync(TimeSpan.FromSeconds(15), TestContext.Current.CancellationToken);
        edge.Time.Advance(TimeSpan.FromSeconds(15));
        (await lines.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldNotBeNull().ShouldContain("\"response\":\"\",\"done\":false");

        job.Fail(JobErrorKind.Busy, "full");
        (await lines.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldBe("""{"error":"full"}""");
        (await lines.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldBeNull();
    }

    [Fact]
    public async Task Stream_FailsInTheMiddle_LastLineIsTheError()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("half").Fail(JobErrorKind.Failed, "worker \"w1\" died");

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", Hello);

        string[] lines = await response.LinesAsync();
        lines.Length.ShouldBe(2);
        lines[0].ShouldContain("half");
        lines[1].ShouldBe("""{"error":"worker \"w1\" died"}""");
    }

    [Theory]
    [InlineData(Hello, true)]
    [InlineData(Hello, false)]
    [InlineData(Whole, true)]
    [InlineData(Whole, false)]
    public async Task Answer_ClientLeaves_JobIsTold(string request, bool hasBegun)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        using CancellationTokenSource leave = new();
        using StringContent content = new(request);
        Task<HttpResponseMessage> pending = edge.Client.PostAsync("/api/generate", content, leave.Token);
        StartedJob job = await edge.Jobs.NextAsync();
        if (hasBegun)
            job.Accept().Say("x");

        await leave.CancelAsync();

        await job.WhenGoneAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => pending);
    }

    [Fact]
    public async Task Answer_ReadToItsEnd_JobIsNotCancelled()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("x").Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", Hello);
        await response.TextAsync();

        (await edge.Jobs.NextAsync()).ClientGone.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public async Task Whole_LongSilence_SpaceKeepsTheConnectionAndTheAnswerIsOneLine()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        Task<HttpResponseMessage> pending = edge.PostAsync("/api/generate", Whole);
        StartedJob job = await edge.Jobs.NextAsync();
        await edge.Time.WaitForTimerAsync(TimeSpan.FromSeconds(200), TestContext.Current.CancellationToken);

        edge.Time.Advance(TimeSpan.FromSeconds(200));
        using HttpResponseMessage response = await pending;
        job.Accept().Say("late").Finish();

        string text = await response.TextAsync();
        text.ShouldStartWith(" {");
        text.ShouldNotContain("\n");
        text.ShouldContain("\"response\":\"late\",\"done\":true");
    }

    private static async Task<StreamReader> ReadAsync(HttpResponseMessage response) =>
        new(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
}
