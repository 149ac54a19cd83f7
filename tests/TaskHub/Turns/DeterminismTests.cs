using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using OllamaMax.TaskHub.Instances;
using OllamaMax.TaskHub.Tests.Support;

namespace OllamaMax.TaskHub.Tests.Turns;

/// <summary>Code that decides otherwise when it is run again is told so, in words that name what.</summary>
public sealed class DeterminismTests
{
    private readonly VirtualHub _hub = new();

    [Fact]
    public async Task Code_CallsAnotherActivity_IsToldBoth() =>
        (await FailureAfterChangeAsync(context => context.CallActivityAsync<int>("b", 1))).ShouldBe(
            "Orchestration 'x' (changes): The code calls activity 'b' (#0) where history has activity 'a' (#0).");

    [Fact]
    public async Task Code_WaitsInsteadOfCalling_IsToldBoth() =>
        (await FailureAfterChangeAsync(async context =>
        {
            await context.CreateTimer(TimeSpan.FromSeconds(1), CancellationToken.None);
            return 1;
        })).ShouldContain("a timer (#0) where history has activity 'a' (#0)");

    [Fact]
    public async Task Code_CallsNothingAnyMore_IsToldWhatIsMissing() =>
        (await FailureAfterChangeAsync(context => context.WaitForExternalEvent<int>("done"))).ShouldContain(
            "History has activity 'a' (#0), which the code does not call any more");

    [Fact]
    public async Task Code_CallsMoreThanBefore_IsToldWhatIsNew() =>
        (await FailureAfterChangeAsync(async context =>
        {
            Task<int> a = context.CallActivityAsync<int>("a", 1);
            await context.CallActivityAsync<int>("b", 1);
            return await a;
        })).ShouldContain("activity 'b' (#1), which history does not have at this point");

    [Fact]
    public async Task Code_CatchesWhatItIsTold_FailsAllTheSame() =>
        (await FailureAfterChangeAsync(async context =>
        {
            try
            {
                return await context.CallActivityAsync<int>("b", 1);
            }
#pragma warning disable CA1031 // That code may do this is the point.
            catch (Exception)
#pragma warning restore CA1031
            {
                return 0;
            }
        })).ShouldContain("activity 'b' (#0) where history has activity 'a' (#0)");

    [Fact]
    public async Task Code_WaitsForAnotherThread_IsRefused()
    {
        TaskCompletionSource never = new();
        _hub.Registry.Orchestrator<int, int>("strays", async (context, x) =>
        {
            await never.Task;
            return x;
        });
        _hub.Start("x", "strays", 1);

        await _hub.RunAsync();

        _hub["x"].Status.ShouldBe(OrchestrationRuntimeStatus.Failed);
        _hub["x"].Failure!.Message.ShouldContain("Only tasks of TaskOrchestrationContext may be awaited");
    }

    /// <summary>Runs code that calls activity a, exchanges it while the activity is under way, and answers what it fails with.</summary>
    private async Task<string> FailureAfterChangeAsync(Func<TaskOrchestrationContext, Task<int>> changed)
    {
        Func<TaskOrchestrationContext, Task<int>> code = context => context.CallActivityAsync<int>("a", 1);
        _hub.Registry
            .Activity<int, int>("a", x => x)
            .Activity<int, int>("b", x => x)
            .Orchestrator<int, int>("changes", (context, _) => code(context));
        _hub.Start("x", "changes", 0);
        await _hub.StepAsync();
        code = changed;

        await _hub.RunAsync();

        InstanceRecord record = _hub["x"];
        record.Status.ShouldBe(OrchestrationRuntimeStatus.Failed);
        record.Failure!.Type.ShouldBe("OllamaMax.TaskHub.Turns.NonDeterministicOrchestrationException");
        return record.Failure.Message;
    }
}
