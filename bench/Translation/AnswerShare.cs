using System.Diagnostics;
using OllamaMax.Bench.Reporting;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Split;

namespace OllamaMax.Bench.Translation;

/// <summary>The edge's processor time for streamed answers, beside that of the translators alone for the same answers.</summary>
internal static class AnswerShare
{
    private const double MostPercent = 3;

    public static async Task MeasureAsync(
        SplitSystem system, string model, TranslationSizes sizes, BenchResult result, Action<string> report, CancellationToken cancellationToken)
    {
        Table table = result.Add(new Table(
            "Translation's share of the edge's processor time",
            $"Streamed answers of {sizes.Tokens} tokens, {sizes.Clients} at once. The edge's time is that of its process, less what it takes while nobody asks.",
            ["API", "answers", "pieces of an answer", "edge, ms an answer", "translation, ms an answer", "share, %"]));
        StreamClient client = new(system.Client, model, sizes.Tokens);
        // The first one loads the model.
        await client.AskAsync(AnswerApi.All[0], cancellationToken);
        double idle = await IdleAsync(system, sizes, cancellationToken);
        foreach (AnswerApi api in AnswerApi.All)
        {
            report($"translation: {api.Name}");
            await AskAsync(client, api, sizes.Clients, sizes.WarmUp, cancellationToken);
            TimeSpan before = LinuxProcesses.CpuTimeOf(system.EdgePid);
            long start = Stopwatch.GetTimestamp();
            IReadOnlyList<string>[] answers = await AskAsync(client, api, sizes.Clients, sizes.Answers, cancellationToken);
            TimeSpan wall = Stopwatch.GetElapsedTime(start);
            TimeSpan busy = LinuxProcesses.CpuTimeOf(system.EdgePid) - before - (wall * idle);
            double edge = busy.TotalMilliseconds / answers.Length;
            double translation = answers.Average(pieces => Replay(api, model, pieces, sizes));
            double share = 100 * translation / edge;
            table.Add(api.Name, answers.Length, answers.Average(pieces => pieces.Count), edge, translation, share);
            result.Aim($"translation's share at {sizes.Tokens}-token answers, {api.Name}, %", share, MostPercent, atMost: true);
        }
    }

    /// <summary>Processor time that the edge takes in a second in which nobody asks, in seconds.</summary>
    private static async Task<double> IdleAsync(SplitSystem system, TranslationSizes sizes, CancellationToken cancellationToken)
    {
        TimeSpan before = LinuxProcesses.CpuTimeOf(system.EdgePid);
        long start = Stopwatch.GetTimestamp();
        await Task.Delay(sizes.Idle, cancellationToken);
        return (LinuxProcesses.CpuTimeOf(system.EdgePid) - before) / Stopwatch.GetElapsedTime(start);
    }

    private static async Task<IReadOnlyList<string>[]> AskAsync(StreamClient client, AnswerApi api, int clients, int times, CancellationToken cancellationToken)
    {
        IReadOnlyList<string>[][] all = await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(AskAllAsync, cancellationToken)));
        return [.. all.SelectMany(answers => answers)];

        async Task<IReadOnlyList<string>[]> AskAllAsync()
        {
            IReadOnlyList<string>[] answers = new IReadOnlyList<string>[times];
            for (int i = 0; i < times; i++)
                answers[i] = await client.AskAsync(api, cancellationToken);
            return answers;
        }
    }

    private static double Replay(AnswerApi api, string model, IReadOnlyList<string> pieces, TranslationSizes sizes)
    {
        TranslatorReplay replay = new(api, api.Body(model, sizes.Tokens), pieces, sizes.Tokens);
        // Compiled as the edge's is by now.
        replay.Measure(sizes.Replays);
        return replay.Measure(sizes.Replays).TotalMilliseconds;
    }
}
