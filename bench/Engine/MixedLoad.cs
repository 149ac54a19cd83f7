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
            $"{sizes.Streams} greedy streams; then a prompt of {sizes.LongPrompt} tokens joins them. Usual: before it came; beside it: until its first token, and the step after that; "
            + "without it: streams that nothing joins, over the same part of their answers, which shows how much is their own growth, and the machine's."));
        Table first = result.Add(Table.OfTimes("Time to the first token of that prompt", "Alone on the engine, and beside the streams."));
        await using BenchEngine engine = await BenchEngine.LoadAsync(
            model, sizes.Streams + 1, Math.Min(sizes.Model.Context, sizes.LongPrompt + 800), sizes.GpuLayers, cancellationToken);
        Samples usual = new(), beside = new(), without = new(), ratios = new(), sameLength = new(), alone = new(), joined = new();
        await RunAsync(engine, sizes, new(), new(), new(), new(), cancellationToken);
        for (int i = 0; i < sizes.Repeats; i++)
        {
            report($"mixed load: {i + 1} of {sizes.Repeats}");
            alone.Add((await engine.RunAllAsync([engine.Prompt(sizes.LongPrompt)], 1, Samplings.Greedy, cancellationToken)).FirstToken);
            (int tokens, double longest) = await RunAsync(engine, sizes, usual, beside, ratios, joined, cancellationToken);
            sameLength.Add(longest / await RunWithoutAsync(engine, sizes, tokens, without, cancellationToken));
        }
        gaps.Add("usual", usual.Times);
        gaps.Add("beside the prompt", beside.Times);
        gaps.Add("without it", without.Times);
        first.Add("alone", alone.Times);
        first.Add("beside the streams", joined.Times);
        result.Aim($"longest gap beside a prompt of {sizes.LongPrompt} tokens ÷ usual gap (medians)", ratios.Median, LongestToUsual, atMost: true);
        // What streams take by themselves grows with their answers: at the end of a long prompt, by as much as the aim allows on a slow processor.
        result.Aim("the same ÷ usual gap of streams without it, over the same part of their answers (medians)", sameLength.Median, LongestToUsual, atMost: true);
    }

    /// <returns>Tokens that a stream got beside the prompt, and the longest of their gaps.</returns>
    private static async Task<(int Tokens, double Longest)> RunAsync(
        BenchEngine engine, EngineSizes sizes, Samples usual, Samples beside, Samples ratios, Samples joined, CancellationToken cancellationToken)
    {
        await using Streams running = await Streams.StartAsync(engine, sizes, cancellationToken);
        long start = Stopwatch.GetTimestamp();
        joined.Add((await engine.RunAllAsync([engine.Prompt(sizes.LongPrompt)], 1, Samplings.Greedy, cancellationToken)).FirstToken);
        long read = Stopwatch.GetTimestamp();
        await running.WaitForMoreAsync(TokensAfter, cancellationToken);

        Samples here = new(running.Gaps(running.AllRan, start)), there = new(running.Gaps(start, read));
        foreach (double gap in running.Gaps(running.AllRan, start))
            usual.Add(gap);
        foreach (double gap in running.Gaps(start, read))
            beside.Add(gap);
        ratios.Add(there.Max / here.Median);
        return (running.Gaps(start, read).Count() / sizes.Streams, there.Max);
    }

    /// <returns>The usual gap.</returns>
    private static async Task<double> RunWithoutAsync(BenchEngine engine, EngineSizes sizes, int tokens, Samples without, CancellationToken cancellationToken)
    {
        await using Streams running = await Streams.StartAsync(engine, sizes, cancellationToken);
        long start = Stopwatch.GetTimestamp();
        await running.WaitForMoreAsync(tokens, cancellationToken);
        double[] gaps = [.. running.Gaps(start, Stopwatch.GetTimestamp())];
        foreach (double gap in gaps)
            without.Add(gap);
        return new Samples(gaps).Median;
    }

    /// <summary>Answers that run until they are disposed.</summary>
    private sealed class Streams(StampingSink[] sinks, Task running, CancellationTokenSource enough) : IAsyncDisposable
    {
        /// <summary>When all of them had begun: until then they were disturbed by each other's prompts.</summary>
        public long AllRan => sinks.Max(static sink => sink.Stamps[1]);

        /// <summary>Starts them; all have their first tokens when this returns.</summary>
        public static async Task<Streams> StartAsync(BenchEngine engine, EngineSizes sizes, CancellationToken cancellationToken)
        {
            CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            StampingSink[] sinks = [.. Enumerable.Range(0, sizes.Streams).Select(_ => new StampingSink())];
            Task running = Task.WhenAll(sinks.Select(sink => engine.RunAsync(engine.Prompt(sizes.ShortPrompt), -1, Samplings.Greedy, sink, enough.Token)));
            Streams streams = new(sinks, running, enough);
            await Task.WhenAll(sinks.Select(sink => sink.WaitForAsync(sizes.UsualTokens, cancellationToken)));
            return streams;
        }

        public Task WaitForMoreAsync(int tokens, CancellationToken cancellationToken) =>
            Task.WhenAll(sinks.Select(sink => sink.WaitForAsync(sink.Stamps.Length + tokens, cancellationToken)));

        /// <summary>Milliseconds of the gaps that end after <paramref name="from"/> and begin before <paramref name="to"/>.</summary>
        public IEnumerable<double> Gaps(long from, long to)
        {
            foreach (StampingSink sink in sinks)
            {
                long[] stamps = sink.Stamps;
                for (int i = 1; i < stamps.Length; i++)
                {
                    if (stamps[i] > from && stamps[i - 1] < to)
                        yield return Stopwatch.GetElapsedTime(stamps[i - 1], stamps[i]).TotalMilliseconds;
                }
            }
        }

        public async ValueTask DisposeAsync()
        {
            await enough.CancelAsync();
            await running;
            enough.Dispose();
        }
    }
}
