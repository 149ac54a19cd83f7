using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using OllamaMax.Chaos.Tests.Clients;
using OllamaMax.TestKit.Split;

namespace OllamaMax.Chaos.Tests;

/// <summary>What tests need that have one thing go wrong in the middle of answers.</summary>
public abstract partial class Disturbance(ChaosFixture chaos)
{
    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected SplitSystem System => chaos.System;

    private protected IReadOnlyDictionary<Question, string> Expected => chaos.Expected;

    private protected ValueTask ExpectAsync(Question question) => chaos.ExpectAsync(question);

    /// <summary>Who answers now. Not always the first attempt: a worker may have refused that, or begun it after it was taken back.</summary>
    private protected async Task<(WorkerSeat Worker, int Attempt)> AttemptOfAsync(Running answer)
    {
        await System.Log.WaitForAsync(line => AttemptIn(line, answer.Id) > 0, Cancellation);
        string begins = System.Log.Lines.MaxBy(line => AttemptIn(line, answer.Id))!;
        return (System.Workers.Single(seat => seat.Name == Name().Match(begins).Groups[1].Value), AttemptIn(begins, answer.Id));
    }

    private protected Task<string> NextAttemptAsync(Running answer, int attempt) => System.Log.WaitForAsync(line => AttemptIn(line, answer.Id) > attempt, Cancellation);

    private protected void ShouldBeUndisturbed(Outcome outcome)
    {
        outcome.Error.ShouldBeNull(outcome.ToString());
        outcome.Text.ShouldBe(Expected[outcome.Question]);
        outcome.Tokens.ShouldBe(outcome.Question.Tokens);
    }

    private protected async Task<(Outcome Outcome, TimeSpan Took)> AskAsync(Question question)
    {
        long start = Stopwatch.GetTimestamp();
        Outcome outcome = await Begin(question).Outcome;
        return (outcome, Stopwatch.GetElapsedTime(start));
    }

    private protected async Task<(Outcome Outcome, TimeSpan Took)> SubmitAsync(Question question)
    {
        long start = Stopwatch.GetTimestamp();
        Outcome outcome = await BeginJob(question);
        return (outcome, Stopwatch.GetElapsedTime(start));
    }

    /// <summary>A background job, followed to its end.</summary>
    private protected Task<Outcome> BeginJob(Question question) =>
        OrSayAsync(new JobClient(System.Client).AskAsync("job", question, new Pulse(), Cancellation), () => $"The background job of question {question.Number} came to no end.");

    private protected Running Begin(Question question)
    {
        string id = $"disturbed-{Guid.NewGuid():n}";
        Pulse pulse = new();
        Task begun = pulse.AfterAsync(1, Cancellation);
        Task<Outcome> outcome = OrSayAsync(
            new GenerateClient(System.Client, isStreamed: true).AskAsync(id, question, pulse, Cancellation), () => $"{id} (question {question.Number}) came to no end.");
        return new(id, BegunAsync(begun, outcome), outcome);
    }

    private protected static Task HaveBegunAsync(IEnumerable<Running> answers) => Task.WhenAll(answers.Select(one => one.HasBegun));

    /// <summary>After an outage: what is refused meanwhile is asked again.</summary>
    private protected async Task UntilAnsweredAsync(Question question)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        Outcome outcome;
        while ((outcome = (await AskAsync(question)).Outcome).Error is not null)
            await OrSayAsync(timer.WaitForNextTickAsync(Cancellation).AsTask(), () => $"Still refused: {outcome}");
        ShouldBeUndisturbed(outcome);
    }

    /// <summary>Asks until a metric of the edge is as wanted.</summary>
    private protected async Task UntilAsync(string name, Func<double, bool> isIt)
    {
        double value;
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (!isIt(value = await MetricAsync(name)))
            await OrSayAsync(timer.WaitForNextTickAsync(Cancellation).AsTask(), () => $"{name} stays at {value}.");
    }

    /// <summary>Where the test's time is over first, its failure is to tell what it waited for.</summary>
    private static async Task<T> OrSayAsync<T>(Task<T> waiting, Func<string> what)
    {
        try
        {
            return await waiting;
        }
        catch (OperationCanceledException e) when (Cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(what(), e, Cancellation);
        }
    }

    /// <summary>One that fails before it has begun would be waited for in vain.</summary>
    private static async Task BegunAsync(Task begun, Task<Outcome> outcome)
    {
        if (await Task.WhenAny(begun, outcome) == outcome && !begun.IsCompleted)
            throw new InvalidOperationException($"It ended before it began: {await outcome}");
        await begun;
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

    [GeneratedRegex("attempt ([0-9]+) begins$")]
    private static partial Regex Begins();

    [GeneratedRegex("^(worker-[0-9]+): ")]
    private static partial Regex Name();
}

/// <param name="Id">In the logs.</param>
/// <param name="HasBegun">Its first piece of text has come.</param>
internal sealed record Running(string Id, Task HasBegun, Task<Outcome> Outcome);
