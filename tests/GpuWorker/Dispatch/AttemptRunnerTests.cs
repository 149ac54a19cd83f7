using Microsoft.Extensions.DependencyInjection;
using OllamaMax.GpuWorker.Dispatch;
using OllamaMax.GpuWorker.Tests.Models;
using OllamaMax.Jobs;
using OllamaMax.Streaming;

namespace OllamaMax.GpuWorker.Tests.Dispatch;

/// <summary>How attempts end that never come to decode.</summary>
public sealed class AttemptRunnerTests : ModelHostContext
{
    private static readonly TimeSpan Remaining = TimeSpan.FromSeconds(3);

    /// <summary>It is no failure of the worker's, which an operator would be told of, and would count against the job.</summary>
    [Fact]
    public async Task Run_DeadlinePassesBeforeTheModelIsThere_EndsAsWhenItPassesLater()
    {
        Host(models: 1);
        TaskCompletionSource gate = new();
        Loader.Gate = gate.Task;
        GrantMessage grant = new()
        {
            Version = ProtocolVersion.Current,
            JobId = JobId.New(Time),
            Attempt = new Attempt(1, "worker", "nonce"),
            Job = new Job
            {
                Id = JobId.New(Time),
                RequestId = "r",
                Tenant = "tenant",
                Model = Digest(0),
                Prompt = "hi",
                Options = new InferenceOptions(),
                Seed = 1,
                Deadline = Remaining,
            },
            Remaining = Remaining,
            Reply = new ReplyCapability("http://127.0.0.1:1/", "", Time.GetUtcNow()),
        };
        using RunningAttempt attempt = new(grant, new AttemptBuffer(0, _ => { }), outbox: null);

        Task<AttemptEnd> ended = Services.GetRequiredService<AttemptRunner>().RunAsync(grant, attempt);
        await Loader.Begun.WaitAsync(Cancellation);
        Time.Advance(Remaining);

        AttemptEnd end = await ended.WaitAsync(Cancellation);
        gate.SetResult();
        (end.Reason, end.Error).ShouldBe((EndReason.Cancelled, null));
    }
}
