using System.Globalization;
using System.Text.RegularExpressions;
using OllamaMax.Chaos.Tests.Clients;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Split;

namespace OllamaMax.Chaos.Tests;

/// <summary>One thing goes wrong in the middle of answers.</summary>
public sealed partial class OutageTests(ChaosFixture chaos)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private SplitSystem System => chaos.System;

    [Fact]
    public async Task StorageGone_MidAnswer_WhatRunsSurvivesWhatWaitsIsAnsweredLaterWhatComesIsRefused()
    {
        await System.WaitForWorkersAsync(isWarm: false, Cancellation);
        Running[] running = [.. Enumerable.Range(0, System.Workers.Count * ChaosFixture.Slots).Select(_ => Begin(Question.Long))];
        await Task.WhenAll(running.Select(one => one.HasBegun));
        Running waiting = Begin(Question.All[0]);
        await UntilOneWaitsAsync();

        await System.StopStorageAsync();
        Outcome refused = await AskAsync(Question.All[1]);
        Outcome job = await new JobClient(System.Client).AskAsync("job", Question.All[1], new Pulse(), Cancellation);
        await System.StartStorageAsync(Cancellation);

        refused.Error.ShouldNotBeNull().ShouldStartWith("503 ");
        job.Error.ShouldNotBeNull().ShouldStartWith("503 ");
        foreach (Running one in running)
            ShouldBeUndisturbed(await one.Outcome);
        ShouldBeUndisturbed(await waiting.Outcome);
    }

    [Fact]
    public async Task SignalRGone_MidAnswer_WhatRunsGoesOnAfterItWhatComesIsRefused()
    {
        await System.WaitForWorkersAsync(isWarm: false, Cancellation);
        Running[] running = [Begin(Question.Long), Begin(Question.Long)];
        await Task.WhenAll(running.Select(one => one.HasBegun));

        await System.StopSignalRAsync();
        Outcome refused = await AskAsync(Question.All[1]);
        await System.StartSignalRAsync(Cancellation);

        refused.Error.ShouldNotBeNull().ShouldStartWith("503 ");
        foreach (Running one in running)
            ShouldBeUndisturbed(await one.Outcome);
        await UntilAnsweredAsync(Question.All[1]);
    }

    [Fact]
    public async Task WorkerStandsStill_MidAnswer_AnotherGoesOnAndTheOneThatWakesUpIsStopped()
    {
        await System.WaitForWorkersAsync(isWarm: false, Cancellation);
        Running answer = Begin(Question.Long);
        await answer.HasBegun;
        var (worker, attempt) = await AttemptOfAsync(answer);

        worker.Suspend();
        await System.Log.WaitForAsync(line => AttemptIn(line, answer.Id) > attempt, Cancellation);
        worker.Resume();

        await System.Log.WaitForAsync(
            line => line.StartsWith($"{worker.Name}: ", StringComparison.Ordinal) && line.Contains($"Request {answer.Id}: ", StringComparison.Ordinal)
                && line.EndsWith("ended by Cancelled", StringComparison.Ordinal),
            Cancellation);
        ShouldBeUndisturbed(await answer.Outcome);
        await UntilAsync("ollamamax_slots_used", used => used == 0);
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
            (await worker.DrainAsync()).ShouldBe(0);
            await worker.StartAsync(Cancellation);
            await System.WaitForWorkersAsync(isWarm: false, Cancellation);
        }

        (await load.EndAsync(TimeSpan.FromMinutes(2))).ShouldBeTrue(string.Join('\n', load.Unanswered));
        load.Outcomes.ShouldAllBe(outcome => outcome.Error == null);
        new Checker(chaos.Expected).Check(load.Outcomes, []).ShouldBeEmpty();
    }

    [Fact]
    public async Task WorkerDrained_ItsModelStandsStill_TakesItsTimeAndHandsTheAnswerOver()
    {
        await System.WaitForWorkersAsync(isWarm: false, Cancellation);
        Running answer = Begin(Question.Long);
        await answer.HasBegun;
        var (worker, _) = await AttemptOfAsync(answer);
        foreach (int pid in worker.ModelPids)
            LocalSystem.Suspend(pid);

        // As long as it may take, and no signal's end: what cannot be finished is handed back or taken over.
        (await worker.DrainAsync()).ShouldBe(0);

        await worker.StartAsync(Cancellation);
        ShouldBeUndisturbed(await answer.Outcome);
    }

    /// <summary>Who answers now. Not always the first attempt: a worker may have refused that.</summary>
    private async Task<(WorkerSeat Worker, int Attempt)> AttemptOfAsync(Running answer)
    {
        await System.Log.WaitForAsync(line => AttemptIn(line, answer.Id) > 0, Cancellation);
        string begins = System.Log.Lines.Last(line => AttemptIn(line, answer.Id) > 0);
        return (System.Workers.Single(seat => seat.Name == Name().Match(begins).Groups[1].Value), AttemptIn(begins, answer.Id));
    }

    private void ShouldBeUndisturbed(Outcome outcome)
    {
        outcome.Error.ShouldBeNull(outcome.ToString());
        outcome.Text.ShouldBe(chaos.Expected[outcome.Question]);
        outcome.Tokens.ShouldBe(outcome.Question.Tokens);
    }

    private Task<Outcome> AskAsync(Question question) => Begin(question).Outcome;

    private Running Begin(Question question)
    {
        string id = $"outage-{Guid.NewGuid():n}";
        Pulse pulse = new();
        Task begun = pulse.AfterAsync(1, Cancellation);
        return new(id, begun, new GenerateClient(System.Client, isStreamed: true).AskAsync(id, question, pulse, Cancellation));
    }

    /// <summary>After an outage: what is refused meanwhile is asked again.</summary>
    private async Task UntilAnsweredAsync(Question question)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        Outcome outcome;
        while ((outcome = await AskAsync(question)).Error is not null)
            await timer.WaitForNextTickAsync(Cancellation);
        ShouldBeUndisturbed(outcome);
    }

    private Task UntilOneWaitsAsync() => UntilAsync("ollamamax_jobs_waiting", waiting => waiting >= 1);

    /// <summary>Asks until a metric of the edge is as wanted.</summary>
    private async Task UntilAsync(string name, Func<double, bool> isIt)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (!isIt(await MetricAsync(name)))
            await timer.WaitForNextTickAsync(Cancellation);
    }

    private async Task<double> MetricAsync(string name)
    {
        string text = await System.Client.GetStringAsync("/metrics", Cancellation);
        string line = text.Split('\n').First(l => l.StartsWith($"{name}{{", StringComparison.Ordinal));
        return double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
    }

    /// <summary>Number of the request's attempt that begins with this line; 0: none does.</summary>
    private static int AttemptIn(string line, string id) => line.Contains($"Request {id}: ", StringComparison.Ordinal) && Begins().Match(line) is { Success: true } begins
        ? int.Parse(begins.Groups[1].ValueSpan, CultureInfo.InvariantCulture)
        : 0;

    private sealed record Running(string Id, Task HasBegun, Task<Outcome> Outcome);

    [GeneratedRegex("attempt ([0-9]+) begins$")]
    private static partial Regex Begins();

    [GeneratedRegex("^(worker-[0-9]+): ")]
    private static partial Regex Name();
}
