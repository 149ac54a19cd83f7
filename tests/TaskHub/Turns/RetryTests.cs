using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using OllamaMax.TaskHub.Tests.Support;

namespace OllamaMax.TaskHub.Tests.Turns;

/// <summary>Activities that fail and are tried again, in virtual time.</summary>
public sealed class RetryTests
{
    private readonly VirtualHub _hub = new();

    [Fact]
    public async Task Retry_WithPolicy_WaitsLongerEachTime()
    {
        List<DateTimeOffset> tries = [];
        _hub.Registry
            .Activity<int, int>("third time", x =>
            {
                tries.Add(_hub.Now);
                return tries.Count < 3 ? throw new InvalidOperationException("not yet") : x;
            })
            .Orchestrator<int, int>("retries", (context, x) => context.CallActivityAsync<int>(
                "third time", x, TaskOptions.FromRetryPolicy(new RetryPolicy(3, TimeSpan.FromSeconds(10), backoffCoefficient: 3))));
        _hub.Start("a", "retries", 7);
        DateTimeOffset begun = _hub.Now;

        await _hub.PassAsync(TimeSpan.FromMinutes(1));

        _hub.Output<int>("a").ShouldBe(7);
        tries.Select(at => (at - begun).TotalSeconds).ShouldBe([0, 10, 40]);
    }

    [Fact]
    public async Task Retry_UsedUp_FailsWithTheLastFailure()
    {
        int tries = 0;
        _hub.Registry
            .Activity<int, int>("never", _ => throw new InvalidOperationException($"try {++tries}"))
            .Orchestrator<int, int>("retries", (context, x) => context.CallActivityAsync<int>(
                "never", x, TaskOptions.FromRetryPolicy(new RetryPolicy(4, TimeSpan.FromSeconds(1)))));
        _hub.Start("a", "retries", 7);

        await _hub.PassAsync(TimeSpan.FromMinutes(1));

        _hub["a"].Failure!.Message.ShouldContain("try 4");
        tries.ShouldBe(4);
    }

    [Fact]
    public async Task Retry_WithHandler_GoesOnAsLongAsItSays()
    {
        List<int> attempts = [];
        _hub.Registry
            .Activity<int, int>("never", _ => throw new InvalidOperationException("no"))
            .Orchestrator<int, int>("retries", (context, x) => context.CallActivityAsync<int>("never", x, TaskOptions.FromRetryHandler((RetryHandler)(retry =>
            {
                if (!context.IsReplaying)
                    attempts.Add(retry.LastAttemptNumber);
                return retry.LastAttemptNumber < 3;
            }))));
        _hub.Start("a", "retries", 7);

        await _hub.RunAsync();

        attempts.ShouldBe([1, 2, 3]);
        _hub["a"].Status.ShouldBe(OrchestrationRuntimeStatus.Failed);
    }
}
