using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.GpuWorker.Dispatch;
using OllamaMax.GpuWorker.Tests.Models;
using OllamaMax.Jobs;
using OllamaMax.Streaming;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests.Dispatch;

/// <summary>How attempts end that never come to decode.</summary>
public sealed class AttemptRunnerTests : ModelHostContext
{
    private static readonly TimeSpan Remaining = TimeSpan.FromMinutes(10);

    private int _asked;

    /// <summary>It is no failure of the worker's, which an operator would be told of, and would count against the job.</summary>
    [Fact]
    public async Task Run_DeadlinePassesBeforeTheModelIsThere_EndsAsWhenItPassesLater()
    {
        Host(models: 1);
        TaskCompletionSource gate = new();
        Loader.Gate = gate.Task;

        Task<AttemptEnd> ended = RunAsync(Grant(Job()));
        await Loader.Begun.WaitAsync(Cancellation);
        Time.Advance(Remaining);

        AttemptEnd end = await ended.WaitAsync(Cancellation);
        gate.SetResult();
        (end.Reason, end.Error).ShouldBe((EndReason.Cancelled, null));
    }

    [Fact]
    public async Task Run_StorageRefusesThePayloadAtFirst_AsksUntilItIsThere()
    {
        Host(models: 1);
        await using WebApplication storage = await StorageAsync(asked => asked < 3 ? Results.StatusCode(503) : Results.Json(Job(), ProtocolJson.Default.Job));

        Task<AttemptEnd> ended = RunAsync(Grant(storage));
        await Task.WhenAny(ended, PassAsync(StorageWaits.All.Take(2)));

        AttemptEnd end = await ended.WaitAsync(Cancellation);
        (end.Reason, end.Error).ShouldBe((EndReason.Loaded, null));
    }

    [Fact]
    public async Task Run_NobodyListensWhereThePayloadIs_IsHandedBackWhichCountsAgainstNobody()
    {
        Host(models: 1);
        WebApplication storage = await StorageAsync(_ => Results.StatusCode(503));
        GrantMessage grant = Grant(storage);
        await storage.DisposeAsync();

        Task<AttemptEnd> ended = RunAsync(grant);
        await Task.WhenAny(ended, PassAsync(StorageWaits.All));

        (await ended.WaitAsync(Cancellation)).Reason.ShouldBe(EndReason.HandedBack);
    }

    [Fact]
    public async Task Run_DeadlinePassesWhileStorageRefusesThePayload_EndsAsWhenItPassesLater()
    {
        Host(models: 1);
        await using WebApplication storage = await StorageAsync(_ => Results.StatusCode(503));

        Task<AttemptEnd> ended = RunAsync(Grant(storage));
        await Task.WhenAny(ended, Time.WaitForTimerAsync(StorageWaits.All[0], Cancellation));
        Time.Advance(Remaining);

        AttemptEnd end = await ended.WaitAsync(Cancellation);
        (end.Reason, end.Error).ShouldBe((EndReason.Cancelled, null));
    }

    [Theory]
    [InlineData(403)]
    [InlineData(404)]
    public async Task Run_PayloadIsNotToBeHad_FailsAtOnce(int status)
    {
        Host(models: 1);
        await using WebApplication storage = await StorageAsync(_ => Results.StatusCode(status));

        AttemptEnd end = await RunAsync(Grant(storage)).WaitAsync(Cancellation);

        end.Reason.ShouldBe(EndReason.Failed);
        _asked.ShouldBe(1);
    }

    private async Task<AttemptEnd> RunAsync(GrantMessage grant)
    {
        using RunningAttempt attempt = new(grant, new AttemptBuffer(0, _ => { }), outbox: null);
        return await Services.GetRequiredService<AttemptRunner>().RunAsync(grant, attempt);
    }

    private async Task PassAsync(IEnumerable<TimeSpan> waits)
    {
        foreach (TimeSpan wait in waits)
        {
            await Time.WaitForTimerAsync(wait, Cancellation);
            Time.Advance(wait);
        }
    }

    /// <param name="answer">To how many times it was asked.</param>
    private async Task<WebApplication> StorageAsync(Func<int, IResult> answer)
    {
        WebApplication storage = LoopbackServer.Build();
        storage.MapGet("/payload", () => answer(Interlocked.Increment(ref _asked)));
        await storage.StartAsync(Cancellation);
        return storage;
    }

    private GrantMessage Grant(WebApplication storage) => Grant(job: null) with { PayloadUrl = $"{storage.Urls.Single()}/payload" };

    private GrantMessage Grant(Job? job) => new()
    {
        Version = ProtocolVersion.Current,
        JobId = JobId.New(Time),
        Attempt = new Attempt(1, "worker", "nonce"),
        Job = job,
        Remaining = Remaining,
        Reply = new ReplyCapability("http://127.0.0.1:1/", "", Time.GetUtcNow()),
    };

    private Job Job() => new()
    {
        Id = JobId.New(Time),
        RequestId = "r",
        Tenant = "tenant",
        Model = Digest(0),
        Prompt = "hi",
        Options = new InferenceOptions(),
        Seed = 1,
        LoadOnly = true,
        Deadline = Remaining,
    };
}
