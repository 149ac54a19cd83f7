using OllamaMax.TestKit.Split;

namespace OllamaMax.Chaos.Tests;

/// <summary>A worker, or its decoder, stands still or leaves in the middle of an answer.</summary>
public sealed class StandstillTests(ChaosFixture chaos) : Disturbance(chaos)
{
    [Fact]
    public async Task WorkerStandsStill_MidAnswer_AnotherGoesOnAndTheOneThatWakesUpIsStopped()
    {
        await System.WaitForWorkersAsync(isWarm: false, Cancellation);
        Running answer = Begin(Question.Long);
        await answer.HasBegun;
        var (worker, attempt) = await AttemptOfAsync(answer);

        worker.Suspend();
        await NextAttemptAsync(answer, attempt);
        worker.Resume();

        await System.Log.WaitForAsync(
            line => line.StartsWith($"{worker.Name}: ", StringComparison.Ordinal) && line.Contains($"Request {answer.Id}: ", StringComparison.Ordinal)
                && line.EndsWith("ended by Cancelled", StringComparison.Ordinal),
            Cancellation);
        ShouldBeUndisturbed(await answer.Outcome);
        await UntilAsync("ollamamax_slots_used", used => used == 0);
    }

    [Fact]
    public async Task DecoderStandsStill_MidAnswer_AnotherWorkerGoesOnAndTheDecoderIsReplaced()
    {
        await System.WaitForWorkersAsync(isWarm: false, Cancellation);
        Running answer = Begin(Question.Long);
        await answer.HasBegun;
        var (worker, attempt) = await AttemptOfAsync(answer);

        // The worker lives, and says so four times a second.
        IReadOnlyList<int> hung = worker.SuspendModels();
        await NextAttemptAsync(answer, attempt);

        ShouldBeUndisturbed(await answer.Outcome);
        (await AttemptOfAsync(answer)).Worker.ShouldNotBe(worker);
        await System.Log.WaitForAsync(
            line => line.StartsWith($"{worker.Name}: ", StringComparison.Ordinal) && line.Contains("decoder stood still", StringComparison.Ordinal), Cancellation);
        await UntilAsync("ollamamax_slots_used", used => used == 0);
        worker.ModelPids.ShouldNotContain(pid => hung.Contains(pid));
    }

    [Fact]
    public async Task WorkersDrained_OneAfterTheOtherUnderLoad_NoRequestFails()
    {
        Pulse pulse = new();
        await System.WaitForWorkersAsync(isWarm: false, Cancellation);
        await using Load load = Load.Streaming(System, pulse, seed: 1, clients: 4, Cancellation);

        foreach (WorkerSeat worker in System.Workers)
        {
            await pulse.AfterAsync(20, Cancellation);
            (await worker.DrainAsync(Cancellation)).ShouldBe(0);
            await worker.StartAsync(Cancellation);
            await System.WaitForWorkersAsync(isWarm: false, Cancellation);
        }

        (await load.EndAsync(TimeSpan.FromMinutes(2))).ShouldBeTrue(string.Join('\n', load.Unanswered));
        load.Outcomes.ShouldAllBe(outcome => outcome.Error == null);
        new Checker(Expected).Check(load.Outcomes, []).ShouldBeEmpty();
    }

    [Fact]
    public async Task WorkerDrained_ItsModelStandsStill_TakesItsTimeAndHandsTheAnswerOver()
    {
        await System.WaitForWorkersAsync(isWarm: false, Cancellation);
        Running answer = Begin(Question.Long);
        await answer.HasBegun;
        var (worker, _) = await AttemptOfAsync(answer);
        worker.SuspendModels();

        // As long as it may take, and no signal's end: what cannot be finished is handed back or taken over.
        (await worker.DrainAsync(Cancellation)).ShouldBe(0);

        await worker.StartAsync(Cancellation);
        ShouldBeUndisturbed(await answer.Outcome);
    }
}
