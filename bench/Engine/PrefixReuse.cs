using System.Diagnostics;
using OllamaMax.Bench.Reporting;

namespace OllamaMax.Bench.Engine;

/// <summary>The second request over a shared prefix: how much sooner is its first token than the first one's?</summary>
internal static class PrefixReuse
{
    private const double WarmToCold = 0.15;
    private const int OwnTokens = 16;

    public static async Task MeasureAsync(string model, EngineSizes sizes, BenchResult result, Action<string> report, CancellationToken cancellationToken)
    {
        Table first = result.Add(Table.OfTimes(
            "Time to the first token over a shared prefix",
            $"Prompts of {sizes.Prefix} shared tokens and {OwnTokens} of their own, one after the other on an engine of four slots; a new prefix each time. " +
            "Warm: after an answer over the same prefix has ended; live: beside one that runs."));
        Table cached = result.Add(new Table("Tokens taken from the shared prefix", "As the engine reports them, medians.", ["request", "cached tokens"]));
        await using BenchEngine engine = await BenchEngine.LoadAsync(model, slots: 4, sizes.Prefix + 200, sizes.GpuLayers, cancellationToken);
        Samples cold = new(), warm = new(), live = new(), coldCached = new(), warmCached = new(), liveCached = new();
        await RoundAsync(new(), new(), new(), new(), new(), new());
        for (int i = 0; i < sizes.Repeats; i++)
        {
            report($"prefix reuse: {i + 1} of {sizes.Repeats}");
            await RoundAsync(cold, coldCached, warm, warmCached, live, liveCached);
        }
        first.Add("cold", cold.Times);
        first.Add("warm", warm.Times);
        first.Add("live", live.Times);
        cached.Add("cold", coldCached.Median);
        cached.Add("warm", warmCached.Median);
        cached.Add("live", liveCached.Median);
        result.Aim($"first token over a shared prefix of {sizes.Prefix} tokens, warm ÷ cold (medians)", warm.Median / cold.Median, WarmToCold, atMost: true);

        async Task RoundAsync(Samples cold, Samples coldCached, Samples warm, Samples warmCached, Samples live, Samples liveCached)
        {
            string prefix = engine.Prompt(sizes.Prefix);
            await AskAsync(prefix, cold, coldCached);
            await AskAsync(prefix, warm, warmCached);

            using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            string shared = engine.Prompt(sizes.Prefix);
            StampingSink sink = new();
            Task running = engine.RunAsync(shared + engine.Prompt(OwnTokens), -1, Samplings.Greedy, sink, enough.Token);
            await sink.WaitForAsync(1, cancellationToken);
            await AskAsync(shared, live, liveCached);
            await enough.CancelAsync();
            await running;
        }

        async Task AskAsync(string prefix, Samples times, Samples tokens)
        {
            StampingSink sink = new();
            long start = Stopwatch.GetTimestamp();
            await engine.RunAsync(prefix + engine.Prompt(OwnTokens), 1, Samplings.Greedy, sink, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            times.Add(sink.First(start));
            tokens.Add(sink.Start!.CachedTokens);
        }
    }
}
