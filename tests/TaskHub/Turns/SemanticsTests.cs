using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using OllamaMax.TaskHub.Instances;
using OllamaMax.TaskHub.Tests.Support;

namespace OllamaMax.TaskHub.Tests.Turns;

/// <summary>What orchestrators may rely on. Every step runs on what the one before has left in JSON, as after a crash.</summary>
public sealed class SemanticsTests
{
    private readonly VirtualHub _hub = new();

    [Fact]
    public async Task Activities_OneAfterTheOther_GiveTheirResults()
    {
        _hub.Registry.Activity<int, int>("double", x => 2 * x).Orchestrator<int, int>("chain", async (context, x) =>
        {
            for (int i = 0; i < 3; i++)
                x = await context.CallActivityAsync<int>("double", x);
            return x;
        });
        _hub.Start("a", "chain", 5);

        await _hub.RunAsync();

        _hub.Output<int>("a").ShouldBe(40);
    }

    [Fact]
    public async Task FanOut_OfAThousandThatEndTogether_IsOneTurn()
    {
        _hub.Registry
            .Activity<int, int>("square", x => x * x)
            .Orchestrator<int, long>("fan", async (context, count) =>
                (await Task.WhenAll(Enumerable.Range(0, count).Select(i => context.CallActivityAsync<int>("square", i)))).Sum(x => (long)x));
        _hub.Start("a", "fan", 1000);
        await _hub.StepAsync();
        IReadOnlyList<HistoryEvent.Decision> pending = _hub["a"].Pending();
        pending.Select(one => one.TaskId).ShouldBe(Enumerable.Range(0, 1000));

        // Each one twice: an activity may be run again, and counts once.
        _hub.Apply("a", [.. pending.Concat(pending).Select(one => new InstanceCommand.Complete(0, one.TaskId, new Payload($"{one.TaskId * one.TaskId}")))]);
        _hub["a"].Inbox.Count.ShouldBe(1000);
        int writes = _hub.Writes;
        await _hub.RunAsync();

        _hub.Output<long>("a").ShouldBe(Enumerable.Range(0, 1000).Sum(x => (long)x * x));
        (_hub.Writes - writes).ShouldBe(1);
    }

    [Fact]
    public async Task Event_BeforeAnybodyWaits_IsKept()
    {
        _hub.Registry.Activity<int, int>("same", x => x).Orchestrator<int, string>("waits", async (context, x) =>
        {
            await context.CallActivityAsync<int>("same", x);
            return await context.WaitForExternalEvent<string>("NAME");
        });
        _hub.Start("a", "waits", 1);
        _hub.Raise("a", "name", "early");

        await _hub.RunAsync();

        _hub.Output<string>("a").ShouldBe("early");
    }

    [Fact]
    public async Task Event_WithinItsTime_EndsTheWait()
    {
        Wait();
        _hub.Start("a", "waits");
        await _hub.PassAsync(TimeSpan.FromSeconds(9));

        _hub.Raise("a", "go", "here");
        await _hub.RunAsync();

        _hub.Output<string>("a").ShouldBe("here");
        _hub["a"].NextDue().ShouldBeNull();
    }

    [Fact]
    public async Task Event_AfterItsTime_IsAnOutcomeOfItsOwn()
    {
        Wait();
        _hub.Start("a", "waits");

        await _hub.PassAsync(TimeSpan.FromSeconds(10));

        _hub.Output<string>("a").ShouldBe("too late");
    }

    [Fact]
    public async Task Timer_BeyondADay_FiresThen()
    {
        _hub.Registry.Orchestrator<int, DateTime>("sleeps", async (context, days) =>
        {
            await context.CreateTimer(TimeSpan.FromDays(days), CancellationToken.None);
            return context.CurrentUtcDateTime;
        });
        _hub.Start("a", "sleeps", 400);
        DateTimeOffset begun = _hub.Now;
        await _hub.PassAsync(TimeSpan.FromDays(400) - TimeSpan.FromTicks(1));
        _hub["a"].Status.ShouldBe(OrchestrationRuntimeStatus.Running);

        await _hub.PassAsync(TimeSpan.FromTicks(1));

        _hub.Output<DateTime>("a").ShouldBe((begun + TimeSpan.FromDays(400)).UtcDateTime);
    }

    [Fact]
    public async Task Failure_OfAnActivity_HasItsDetails()
    {
        _hub.Registry
            .Activity<int, int>("breaks", _ => throw new InvalidOperationException("outer", new ArgumentException("inner")))
            .Orchestrator<int, string>("catches", async (context, x) =>
            {
                try
                {
                    await context.CallActivityAsync("breaks", x);
                    return "no failure";
                }
                catch (TaskFailedException e)
                {
                    return $"{e.TaskName} {e.FailureDetails.ErrorType} {e.FailureDetails.ErrorMessage} {e.FailureDetails.InnerFailure!.ErrorMessage}";
                }
            });
        _hub.Start("a", "catches", 1);

        await _hub.RunAsync();

        _hub.Output<string>("a").ShouldBe("breaks System.InvalidOperationException outer inner");
    }

    [Fact]
    public async Task Failure_ThatNobodyCatches_FailsTheOrchestration()
    {
        _hub.Registry
            .Activity<int, int>("breaks", _ => throw new InvalidOperationException("no way"))
            .Orchestrator<int, int>("passes on", (context, x) => context.CallActivityAsync<int>("breaks", x));
        _hub.Start("a", "passes on", 1);

        await _hub.RunAsync();

        InstanceRecord record = _hub["a"];
        record.Status.ShouldBe(OrchestrationRuntimeStatus.Failed);
        record.Failure!.Type.ShouldBe(typeof(TaskFailedException).FullName);
        record.Failure.Message.ShouldContain("no way");
    }

    [Fact]
    public async Task Names_ThatNobodyKnows_FailWithThem()
    {
        _hub.Registry.Orchestrator<int, int>("calls", (context, x) => context.CallActivityAsync<int>("nothing", x));
        _hub.Start("a", "calls", 1);
        _hub.Start("b", "nobody", 1);

        await _hub.RunAsync();

        _hub["a"].Failure!.Message.ShouldContain("'nothing'");
        _hub["b"].Failure!.Message.ShouldContain("'nobody'");
    }

    [Fact]
    public async Task Children_SucceedAndFail_TellTheirParent()
    {
        _hub.Registry
            .Orchestrator<int, string>("child", (context, x) =>
                x == 0 ? throw new InvalidOperationException("zero") : Task.FromResult($"{context.Parent!.InstanceId} {x}"))
            .Orchestrator<int, string>("parent", async (context, x) =>
            {
                string good = await context.CallSubOrchestratorAsync<string>("child", 1, new SubOrchestrationOptions(instanceId: "mine"));
                try
                {
                    await context.CallSubOrchestratorAsync<string>("child", 0);
                    return "no failure";
                }
                catch (TaskFailedException e)
                {
                    return $"{good}, {e.FailureDetails.ErrorMessage}";
                }
            });
        _hub.Start("a", "parent", 1);

        await _hub.RunAsync();

        _hub.Output<string>("a").ShouldBe("a 1, zero");
        _hub.Has("mine").ShouldBeTrue();
    }

    [Fact]
    public async Task ContinueAsNew_ManyTimes_KeepsEventsAndForgetsHistory()
    {
        _hub.Registry.Orchestrator<int, int>("counts", async (context, sum) =>
        {
            int next = await context.WaitForExternalEvent<int>("add");
            if (next < 0)
                return sum;
            context.ContinueAsNew(sum + next);
            return 0;
        });
        _hub.Start("a", "counts", 0);
        await _hub.RunAsync();
        foreach (int x in (int[])[1, 2, 3, 4, -1])
            _hub.Raise("a", "add", x);

        await _hub.RunAsync();

        _hub.Output<int>("a").ShouldBe(10);
        _hub["a"].Generation.ShouldBe(4);
        _hub["a"].History.OfType<HistoryEvent.TurnStarted>().Count().ShouldBe(1);
    }

    [Fact]
    public async Task ContinueAsNew_LateEndOfTheLastGeneration_IsIgnored()
    {
        _hub.Registry.Activity<int, int>("same", x => x).Orchestrator<int, int>("again", async (context, x) =>
        {
            if (x == 0)
            {
                _ = context.CallActivityAsync<int>("same", 7);
                context.ContinueAsNew(1);
                return 0;
            }
            return await context.CallActivityAsync<int>("same", 8);
        });
        _hub.Start("a", "again", 0);
        await _hub.StepAsync();
        await _hub.StepAsync();

        _hub.Apply("a", new InstanceCommand.Complete(Generation: 0, TaskId: 0, new Payload("7")));
        await _hub.RunAsync();

        _hub.Output<int>("a").ShouldBe(8);
    }

    [Fact]
    public async Task SendEvent_ToAnother_ArrivesOnce()
    {
        _hub.Registry
            .Orchestrator<string, string>("sends", (context, target) =>
            {
                context.SendEvent(target, "news", "hello");
                return Task.FromResult("sent");
            })
            .Orchestrator<int, string>("waits", async (context, _) => await context.WaitForExternalEvent<string>("news"));
        _hub.Start("b", "waits", 0);
        await _hub.RunAsync();
        _hub.Start("a", "sends", "b");

        await _hub.RunAsync();

        _hub.Output<string>("b").ShouldBe("hello");
        _hub["a"].Outbox.ShouldBeEmpty();
    }

    [Fact]
    public void Raise_TheSameIdTwice_CountsOnce()
    {
        _hub.Start("a", "any");
        _hub.Apply("a", new InstanceCommand.Raise("news", null, "x/0/0"));

        _hub.Apply("a", new InstanceCommand.Raise("news", null, "x/0/0"));

        _hub["a"].Inbox.Count.ShouldBe(1);
    }

    [Fact]
    public async Task CustomStatus_LastOneSet_CanBeSeen()
    {
        _hub.Registry.Orchestrator<int, int>("reports", async (context, x) =>
        {
            context.SetCustomStatus("begun");
            await context.WaitForExternalEvent<int>("go");
            context.SetCustomStatus("done");
            return x;
        });
        _hub.Start("a", "reports", 0);
        await _hub.RunAsync();
        _hub["a"].CustomStatus!.Text.ShouldBe("\"begun\"");

        _hub.Raise("a", "go", 0);
        await _hub.RunAsync();

        _hub["a"].CustomStatus!.Text.ShouldBe("\"done\"");
    }

    [Fact]
    public async Task Terminate_Recursive_TakesChildrenAlong()
    {
        _hub.Registry
            .Orchestrator<int, int>("endless", async (context, x) => await context.WaitForExternalEvent<int>("never"))
            .Orchestrator<int, int>("parent", (context, x) => context.CallSubOrchestratorAsync<int>("endless", x, new SubOrchestrationOptions(instanceId: "child")));
        _hub.Start("a", "parent", 0);
        await _hub.RunAsync();

        _hub.Apply("a", new InstanceCommand.Terminate(new Payload("\"enough\""), Recursive: true));
        await _hub.RunAsync();

        _hub["a"].Status.ShouldBe(OrchestrationRuntimeStatus.Terminated);
        _hub["child"].Status.ShouldBe(OrchestrationRuntimeStatus.Terminated);
        _hub["child"].Output!.Text.ShouldBe("\"enough\"");
        _hub["a"].IsOpen.ShouldBeFalse();
    }

    [Fact]
    public async Task Suspend_WhileEventsCome_TellsThemAfterwards()
    {
        _hub.Registry.Orchestrator<int, int>("waits", async (context, x) => await context.WaitForExternalEvent<int>("go"));
        _hub.Start("a", "waits", 0);
        await _hub.RunAsync();
        _hub.Apply("a", new InstanceCommand.Suspend());
        _hub.Raise("a", "go", 3);
        await _hub.RunAsync();
        _hub["a"].Status.ShouldBe(OrchestrationRuntimeStatus.Suspended);

        _hub.Apply("a", new InstanceCommand.Resume());
        await _hub.RunAsync();

        _hub.Output<int>("a").ShouldBe(3);
    }

    [Fact]
    public async Task NewGuid_RunAgain_IsTheSame()
    {
        _hub.Registry.Activity<Guid, Guid>("same", x => x).Orchestrator<int, bool>("draws", async (context, _) =>
        {
            Guid first = context.NewGuid();
            Guid second = context.NewGuid();
            return await context.CallActivityAsync<Guid>("same", first) == first && first != second
                && await context.CallActivityAsync<Guid>("same", second) == second;
        });
        _hub.Start("a", "draws", 0);

        await _hub.RunAsync();

        _hub.Output<bool>("a").ShouldBeTrue();
    }

    private void Wait() => _hub.Registry.Orchestrator<object?, string>("waits", async (context, _) =>
    {
        try
        {
            return await context.WaitForExternalEvent<string>("go", TimeSpan.FromSeconds(10));
        }
        catch (TaskCanceledException)
        {
            return "too late";
        }
    });
}
