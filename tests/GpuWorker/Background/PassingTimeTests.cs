using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Background;

/// <summary>What happens by time alone, with the clock of the edge, or of the worker, in the test's hand.</summary>
public sealed class PassingTimeTests
{
    /// <summary>Of no other timer of an edge.</summary>
    private static readonly TimeSpan FollowInterval = TimeSpan.FromSeconds(7);

    private readonly WatchedTimeProvider _time = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Stream_NothingComes_EventsHaveComments()
    {
        await using JobCluster cluster = await StartAsync(options => options.FollowInterval = FollowInterval);
        string id = await cluster.Client.SubmitAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/jobs/{id}/stream");
        request.Headers.Accept.Add(new("text/event-stream"));
        using HttpResponseMessage response = await cluster.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
        Task<string?> line = reader.ReadLineAsync(Cancellation).AsTask();

        for (int i = 0; i < 2; i++)
        {
            await _time.WaitForTimerAsync(FollowInterval, Cancellation);
            line.IsCompleted.ShouldBeFalse();
            _time.Advance(FollowInterval);
        }
        await _time.WaitForTimerAsync(FollowInterval, Cancellation);
        _time.Advance(FollowInterval);

        (await line).ShouldBe(": waiting");
        (await reader.ReadLineAsync(Cancellation)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Sweep_TimeIsOver_ContentGoesFirstAndThenTheRecord()
    {
        await using JobCluster cluster = await StartAsync(options =>
        {
            options.TakesCompletions = false;
            options.Retention = TimeSpan.FromHours(1);
            options.FiguresKept = TimeSpan.FromHours(24);
        });
        JobTending tending = cluster.EdgeServices.GetRequiredService<JobTending>();
        string ended = await cluster.Client.SubmitAsync();
        string late = await cluster.Client.SubmitAsync();
        await cluster.Client.DeleteJobAsync(ended);

        await tending.SweepAsync(Cancellation);
        (await cluster.RecordAsync(ended)).HasContent.ShouldBeTrue();
        _time.Advance(TimeSpan.FromHours(2));
        await tending.SweepAsync(Cancellation);
        (await cluster.RecordAsync(ended)).HasContent.ShouldBeFalse();
        _time.Advance(TimeSpan.FromHours(23));
        await tending.SweepAsync(Cancellation);

        (await cluster.Store.FindAsync(ended, Cancellation)).ShouldBeNull();
        JobRecord failed = await cluster.RecordAsync(late);
        failed.Status.ShouldBe(RecordStatus.Failed);
        failed.Error!.Message.ShouldStartWith("no answer until the deadline");
    }

    [Fact]
    public async Task Signatures_JobTakesLongerThanTheyLast_AreRenewedByClaimingAgain()
    {
        // An edge takes tokens of a worker whose clock is wrong by up to five minutes: behind at first, then ahead.
        _time.SetUtcNow(TimeProvider.System.GetUtcNow() - TimeSpan.FromMinutes(4));
        using LogLines logs = new();
        await using JobCluster cluster = await JobCluster.StartAsync(logs: logs);
        var gate = new TaskCompletionSource();
        var engine = new ScriptedEngine(slots: 1) { BeforeToken = (index, stop) => index < 10 ? Task.CompletedTask : gate.Task.WaitAsync(stop) };
        await cluster.AddWorkerAsync(engine, _time);
        string id = await cluster.Client.SubmitAsync();
        int claims = 0;
        Task second = logs.WaitForAsync(line => line.Contains("attempt 1 goes to worker", StringComparison.Ordinal) && ++claims == 2, Cancellation);
        await foreach (JsonElement line in cluster.Client.StreamAsync(id, 0, Cancellation))
        {
            if (line.GetProperty("offset").GetInt32() > 0)
                break;
        }

        // It writes, so it knows when its signatures, which last a quarter of an hour, are half over.
        _time.Advance(TimeSpan.FromMinutes(7.5));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!second.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(0.5));
            await timer.WaitForNextTickAsync(Cancellation);
        }
        gate.SetResult();

        JsonElement job = await cluster.Client.ShowWhenAsync(id, "completed");
        job.GetProperty("result").GetProperty("response").GetString().ShouldBe(ScriptedEngine.Answer(20));
        job.GetProperty("attempts").GetInt32().ShouldBe(1);
    }

    private Task<JobCluster> StartAsync(Action<BackgroundOptions> configure)
    {
        // Storage and SignalR go by the real clock, and what is signed for them must not be over.
        _time.SetUtcNow(TimeProvider.System.GetUtcNow());
        return JobCluster.StartAsync(configure, services: edge => edge.AddSingleton<TimeProvider>(_time));
    }
}
