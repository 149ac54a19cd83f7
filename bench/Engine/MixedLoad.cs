using System.Diagnostics;
using OllamaMax.Bench.Reporting;

namespace OllamaMax.Bench.Engine;

/// <summary>A long prompt joins streams that run: how evenly do they go on, and how long does it wait for its first token?</summary>
internal static class MixedLoad
{
    private const double LongestToUsual = 3;

    /// <summary>Tokens of each stream after the long prompt's first one: the step that ends it is part of what they feel.</summary>
    private const int TokensAfter = 4;

    public static async Task MeasureAsync(string model, EngineSizes sizes, BenchResult result, Action<string> report, CancellationToken cancellationToken)
    {
        Table gaps = result.Add(Table.OfTimes(
            "Gaps between the tokens of running streams",
            $"{sizes.Streams} greedy streams; then a prompt of {sizes.LongPrompt} tokens joins them. Usual: before it came; beside it: until its first token, and the step after that."));
        Table first = result.Add(Table.OfTimes("Time to the first token of that prompt", "Alone on the engine, and beside the streams."));
        await using BenchEngine engine = await BenchEngine.LoadAsync(
            model, sizes.Streams + 1, Math.Min(sizes.Model.Context, sizes.LongPrompt + 800), sizes.GpuLayers, cancellationToken);
        Samples usual = new(), beside = new(), ratios = new(), alone = new(), joined = new();
        await RunAsync(engine, sizes, new(), new(), new(), new(), cancellationToken);
        for (int i = 0; i < sizes.Repeats; i++)
        {
            report($"mixed load: {i + 1} of {sizes.Repeats}");
            alone.Add((await engine.RunAllAsync([engine.Prompt(sizes.LongPrompt)], 1, Samplings.Greedy, cancellationToken)).FirstToken);
            await RunAsync(engine, sizes, usual, beside, ratios, joined, cancellationToken);
        }
        gaps.Add("usual", usual.Times);
        gaps.Add("beside the prompt", beside.Times);
        first.Add("alone", alone.Times);
        first.Add("beside the streams", joined.Times);
        result.Aim($"longest gap beside a prompt of {sizes.LongPrompt} tokens ÷ usual gap (medians)", ratios.Median, LongestToUsual, atMost: true);
    }

    private static async Task RunAsync(
        BenchEngine engine, EngineSizes sizes, Samples usual, Samples beside, Samples ratios, Samples joined, CancellationToken cancellationToken)
    {
        using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        StampingSink[] streams = [.. Enumerable.Range(0, sizes.Streams).Select(_ => new StampingSink())];
        Task running = Task.WhenAll(streams.Select(sink => engine.RunAsync(engine.Prompt(sizes.ShortPrompt), -1, Samplings.Greedy, sink, enough.Token)));
        await Task.WhenAll(streams.Select(sink => sink.WaitForAsync(sizes.UsualTokens, cancellationToken)));

        long start = Stopwatch.GetTimestamp();
        joined.Add((await engine.RunAllAsync([engine.Prompt(sizes.LongPrompt)], 1, Samplings.Greedy, cancellationToken)).FirstToken);
        long read = Stopwatch.GetTimestamp();
        await Task.WhenAll(streams.Select(sink => sink.WaitForAsync(sink.Stamps.Length + TokensAfter, cancellationToken)));
        await enough.CancelAsync();
        await running;

        // From when all of them ran: until then they were disturbed by each other's prompts.
        long from = streams.Max(sink => sink.Stamps[1]);
        Samples here = new(streams.SelectMany(sink => Gaps(sink, from, start)));
        Samples there = new(streams.SelectMany(sink => Gaps(sink, start, read)));
        foreach (double gap in streams.SelectMany(sink => Gaps(sink, from, start)))
            usual.Add(gap);
        foreach (double gap in streams.SelectMany(sink => Gaps(sink, start, read)))
            beside.Add(gap);
        ratios.Add(there.Max / here.Median);
    }

    /// <summary>Milliseconds of the gaps that end after <paramref name="from"/> and begin before <paramref name="to"/>.</summary>
    private static IEnumerable<double> Gaps(StampingSink sink, long from, long to)
    {
        long[] stamps = sink.Stamps;
        for (int i = 1; i < stamps.Length; i++)
        {
            if (stamps[i] > from && stamps[i - 1] < to)
                yield return Stopwatch.GetElapsedTime(stamps[i - 1], stamps[i]).TotalMilliseconds;
        }
    }
}
