using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using OllamaMax.Bench.Reporting;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;
using OllamaMax.TestKit.Split;

namespace OllamaMax.Bench.Failover;

/// <summary>
/// Kills the worker that answers, over and over, beside a warm second one, and looks at what the client gets: all of it, once, and after which pause.
/// </summary>
internal sealed partial class FailoverBench
{
    private const string Model = "failover";
    private const double LongestGap = 2500;

    private readonly SplitSystem _system;
    private readonly FailoverSizes _sizes;
    private readonly FailoverClient _client;
    private readonly Samples _gaps = new();
    private readonly Samples _sinceKill = new();
    private int _kills, _taken, _lost, _doubled, _different;

    private FailoverBench(SplitSystem system, FailoverSizes sizes)
    {
        _system = system;
        _sizes = sizes;
        _client = new(system.Client, Model);
    }

    public static async Task RunAsync(BenchOptions options, BenchResult result, CancellationToken cancellationToken)
    {
        if (!options.Wants("kills"))
            return;
        FailoverSizes sizes = options.Quick ? FailoverSizes.Quick : FailoverSizes.Full;
        sizes = sizes with { Kills = options.Repeats ?? sizes.Kills };
        options.Report("failover: starting the system");
        using TempFolder folder = new();
        string model = folder.File($"{Model}.gguf");
        GgufGenerator.Write(model, new() { Layers = 4, Width = 512, Heads = 8, KeyValueHeads = 4, FeedForward = 1024, Context = 2048, Name = Model });
        // One slot each: while one worker answers, the other one gets what comes next.
        SplitSystemOptions split = new() { Model = model, Workers = 2, WorkerArguments = ["--exact", "--threads", "1", "--slots", "1"] };
        await using SplitSystem system = await SplitSystem.StartAsync(split, cancellationToken);
        FailoverBench bench = new(system, sizes);
        await bench.MeasureAsync(options, cancellationToken);
        bench.Report(result);
    }

    private async Task MeasureAsync(BenchOptions options, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        Random random = new(_sizes.Seed);
        await WarmUpAsync(cancellationToken);
        FailoverAnswer undisturbed = await _client.AskAsync("undisturbed", _sizes.Tokens, Nothing, cancellationToken);
        if (undisturbed.Tokens != _sizes.Tokens)
            throw new InvalidOperationException("There is no undisturbed answer to compare with.");
        while (_kills < _sizes.Kills && Stopwatch.GetElapsedTime(start) < options.Longest)
        {
            if (++_kills % 10 == 1)
                options.Report($"failover: kill {_kills} of {_sizes.Kills}");
            await KillOnceAsync(_kills, 1 + random.Next(_sizes.LatestPiece), undisturbed.Text, cancellationToken);
            await WarmUpAsync(cancellationToken);
        }
    }

    private async Task KillOnceAsync(int number, int killAfter, string undisturbed, CancellationToken cancellationToken)
    {
        string id = string.Create(CultureInfo.InvariantCulture, $"kill-{number}-{Guid.NewGuid():n}");
        int from = _system.Log.Lines.Count;
        WorkerSeat? killed = null;
        long killedAt = 0;
        FailoverAnswer answer = await _client.AskAsync(id, _sizes.Tokens, KillAsync, cancellationToken);
        if (killed is null)
            throw new InvalidOperationException($"The answer to {id} ended after {answer.Stamps.Count} pieces, before its worker was to be killed.");
        Count(answer, undisturbed, id, from, killAfter, killedAt);
        await killed.StartAsync(cancellationToken);

        async Task KillAsync(int pieces)
        {
            if (pieces != killAfter)
                return;
            string begins = await _system.Log.WaitForAsync(line => line.Contains($"Request {id}: ", StringComparison.Ordinal), cancellationToken, from);
            killed = _system.Workers.Single(worker => worker.Name == Worker().Match(begins).Groups[1].Value);
            killedAt = Stopwatch.GetTimestamp();
            await killed.KillAsync();
        }
    }

    private void Count(FailoverAnswer answer, string undisturbed, string id, int from, int killAfter, long killedAt)
    {
        if (answer.Tokens is null || answer.Text.Length < undisturbed.Length)
            _lost++;
        else if (answer.Text.Length > undisturbed.Length || answer.Tokens > _sizes.Tokens)
            _doubled++;
        else if (answer.Text != undisturbed)
            _different++;
        if (!_system.Log.Lines.Skip(from).Any(line => line.Contains($"Request {id}: ", StringComparison.Ordinal) && line.EndsWith("attempt 2 begins", StringComparison.Ordinal)))
            return;
        _taken++;
        // Tokens that were under way at the kill may come after it: the gap is the longest pause from then on.
        TimeSpan[] pauses = [.. answer.Stamps.Skip(killAfter - 1).Zip(answer.Stamps.Skip(killAfter), Stopwatch.GetElapsedTime)];
        if (pauses.Length == 0)
            return;
        int longest = Array.IndexOf(pauses, pauses.Max());
        _gaps.Add(pauses[longest]);
        _sinceKill.Add(Stopwatch.GetElapsedTime(killedAt, answer.Stamps[killAfter + longest]));
    }

    /// <summary>Both workers are there, with the model in memory.</summary>
    private async Task WarmUpAsync(CancellationToken cancellationToken)
    {
        await _system.WaitForWorkersAsync(isWarm: false, cancellationToken);
        bool isAsked = false;
        await _client.AskAsync("warm-1", _sizes.Tokens / 4, AskOtherAsync, cancellationToken);
        await _system.WaitForWorkersAsync(isWarm: true, cancellationToken);

        async Task AskOtherAsync(int pieces)
        {
            if (isAsked)
                return;
            isAsked = true;
            // The first one's only slot is busy, so this goes to the other worker.
            await _client.AskAsync("warm-2", 2, Nothing, cancellationToken);
        }
    }

    private static Task Nothing(int pieces) => Task.CompletedTask;

    private void Report(BenchResult result)
    {
        Table counts = result.Add(new Table(
            "Kills in the middle of an answer",
            $"kill -9 of the worker that answers a streamed request of {_sizes.Tokens} tokens (sampled, seeded), after one to {_sizes.LatestPiece} pieces of text; a second worker has the " +
            "model in memory, and the killed one comes back before the next kill. Each answer is compared with an undisturbed one. Lost: no end, or less text; doubled: more text; " +
            "different: as much, but another one; taken over: a second attempt wrote the rest.",
            ["", "kills", "requests", "taken over", "lost", "doubled", "different"]));
        counts.Add("two workers", _kills, _kills, _taken, _lost, _doubled, _different);
        Table gaps = result.Add(Table.OfTimes(
            "The pause that the client sees",
            "From the last token of the killed worker to the first one of the other, as read by the client; and from the kill to that token."));
        gaps.Add("last old to first new token", _gaps.Times);
        gaps.Add("kill to first new token", _sinceKill.Times);
        result.Aim("gap, median, ms", _gaps.Median, LongestGap, atMost: true);
        result.Aim("requests lost", _lost, 0, atMost: true);
        result.Aim("requests doubled", _doubled, 0, atMost: true);
        result.Aim("answers different", _different, 0, atMost: true);
    }

    [GeneratedRegex("^(worker-[0-9]+): ")]
    private static partial Regex Worker();
}
