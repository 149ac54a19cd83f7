using OllamaMax.TestKit.Split;

namespace OllamaMax.Chaos.Tests;

/// <summary>Storage or the SignalR surface is out of order for 20 s in the middle of answers: a minute and a half in all (<c>.ci/nightly</c>).</summary>
public sealed class OutageTests(ChaosFixture chaos) : Disturbance(chaos), IAsyncLifetime
{
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(20);

    /// <summary>What finds an outage out takes so long; who comes after it is told within a second, and well within this on a machine with much else to do.</summary>
    private static readonly TimeSpan FindingOut = TimeSpan.FromSeconds(5);

    public ValueTask InitializeAsync() => ExpectAsync(Question.Longest);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact(Explicit = true)]
    [Trait("Category", "Slow")]
    public async Task StorageGone_MidAnswer_WhatRunsSurvivesWhatLosesItsWorkerOrWaitsIsAnsweredLaterWhatComesIsRefused()
    {
        await System.WaitForWorkersAsync(isWarm: false, Cancellation);
        Running[] running = [.. Enumerable.Range(0, System.Workers.Count * ChaosFixture.Slots).Select(_ => Begin(Question.Longest))];
        await HaveBegunAsync(running);
        // While it waits nothing is pushed: what comes has to be queued too.
        Running waiting = Begin(Question.All[0]);
        await UntilAsync("ollamamax_jobs_waiting", waits => waits >= 1);

        await System.StopStorageAsync();
        Task lasting = LastAsync();
        (Outcome first, _) = await AskAsync(Question.All[1]);
        (Outcome next, TimeSpan took) = await AskAsync(Question.All[1]);
        (Outcome job, TimeSpan submission) = await SubmitAsync(Question.All[1]);
        // Its answers need a queue that is not there, or a slot that becomes free.
        WorkerSeat dies = System.Workers[0];
        await dies.KillAsync();
        await lasting;
        await System.StartStorageAsync(Cancellation);
        await dies.StartAsync(Cancellation);

        ShouldBeRefused(first);
        ShouldBeRefused(next);
        took.ShouldBeLessThan(FindingOut);
        ShouldBeRefused(job);
        submission.ShouldBeLessThan(FindingOut);
        foreach (Running one in running)
            ShouldBeUndisturbed(await one.Outcome);
        ShouldBeUndisturbed(await waiting.Outcome);
        await UntilAnsweredAsync(Question.All[2]);
    }

    [Fact(Explicit = true)]
    [Trait("Category", "Slow")]
    public async Task StorageHangs_MidAnswer_WhatRunsAndWhatIsPushedSurvivesWhatHasToWaitIsRefused()
    {
        await System.WaitForWorkersAsync(isWarm: false, Cancellation);
        Running running = Begin(Question.Longest);
        await running.HasBegun;
        List<Filler> fillers = [];
        try
        {
            System.SuspendStorage();
            Task lasting = LastAsync();
            // With free slots nothing is asked of storage.
            ShouldBeUndisturbed((await AskAsync(Question.All[0])).Outcome);
            ShouldBeUndisturbed(await running.Outcome);
            for (int i = 0; i < System.Workers.Count * ChaosFixture.Slots; i++)
                fillers.Add(await Filler.BeginAsync(System.Client, Cancellation));
            // What the queue does not take gets the slot that becomes free while it waits.
            Running lucky = Begin(Question.All[2]);
            await UntilAsync("ollamamax_jobs_waiting", waits => waits >= 1);
            fillers[0].Dispose();
            ShouldBeUndisturbed(await lucky.Outcome);
            fillers[0] = await Filler.BeginAsync(System.Client, Cancellation);
            (Outcome first, _) = await AskAsync(Question.All[1]);
            (Outcome next, TimeSpan took) = await AskAsync(Question.All[1]);
            (Outcome job, TimeSpan submission) = await SubmitAsync(Question.All[1]);
            await lasting;

            ShouldBeRefused(first);
            ShouldBeRefused(next);
            took.ShouldBeLessThan(FindingOut);
            ShouldBeRefused(job);
            submission.ShouldBeLessThan(FindingOut);
        }
        finally
        {
            System.ResumeStorage();
            fillers.ForEach(filler => filler.Dispose());
        }
        await UntilAnsweredAsync(Question.All[1]);
        ShouldBeUndisturbed(await BeginJob(Question.All[2]));
    }

    [Fact(Explicit = true)]
    [Trait("Category", "Slow")]
    public async Task SignalRGone_MidAnswer_WhatRunsGoesOnAfterItWhatComesIsRefusedJobsNeedNoneOfIt()
    {
        await System.WaitForWorkersAsync(isWarm: false, Cancellation);
        Running[] running = [Begin(Question.Longest), Begin(Question.Longest)];
        Task<Outcome> job = BeginJob(Question.Long);
        await HaveBegunAsync(running);

        await System.StopSignalRAsync();
        Task lasting = LastAsync();
        (Outcome first, _) = await AskAsync(Question.All[1]);
        (Outcome next, TimeSpan took) = await AskAsync(Question.All[1]);
        Task<Outcome> later = BeginJob(Question.All[2]);
        await lasting;
        await System.StartSignalRAsync(Cancellation);

        ShouldBeRefused(first);
        ShouldBeRefused(next);
        took.ShouldBeLessThan(FindingOut);
        foreach (Running one in running)
            ShouldBeUndisturbed(await one.Outcome);
        ShouldBeUndisturbed(await job);
        ShouldBeUndisturbed(await later);
        await UntilAnsweredAsync(Question.All[1]);
    }

    /// <summary>The outage has a length of its own: nothing is waited for here.</summary>
    private static async Task LastAsync()
    {
        using PeriodicTimer timer = new(Outage);
        await timer.WaitForNextTickAsync(Cancellation);
    }

    private static void ShouldBeRefused(Outcome outcome) => outcome.Error.ShouldNotBeNull(outcome.ToString()).ShouldStartWith("503 ");
}
