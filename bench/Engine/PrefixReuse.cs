using System.Diagnostics;
using OllamaMax.Bench.Reporting;

namespace OllamaMax.Bench.Engine;

/// <summary>The second request over a shared prefix: how much sooner is its first token than the first one's?</summary>
internal static class PrefixReuse
{
    private const double WarmToCold = 0.15;
    private const int OwnTokens = 16;

    // So that on a GPU, where they stay longer, prompts leave the context in time too.
    private const int KeptFor = 64;

    public static async Task MeasureAsync(string model, EngineSizes sizes, BenchResult result, Action<string> report, CancellationToken cancellationToken)
    {
        Table first = result.Add(Table.OfTimes(
            "Time to the first token over a shared prefix",
            $"Prompts of {sizes.Prefix} shared tokens and {OwnTokens} of their own, one after the other on an engine of four slots; a new prefix each time. " +
            "Warm: after an answer over the same prefix has ended; stored: after it has left the context for the machine's memory too; live: beside one that runs."));
        Table cached = result.Add(new Table("Tokens taken from the shared prefix", "As the engine reports them, medians.", ["request", "cached tokens"]));
        await using BenchEngine engine = await BenchEngine.LoadAsync(model, slots: 4, sizes.Prefix + 200, sizes.GpuLayers, cancellationToken, KeptFor);
        Request cold = new("cold"), warm = new("warm"), stored = new("stored"), live = new("live");
        await RoundAsync(new(""), new(""), new(""), new(""));
        for (int i = 0; i < sizes.Repeats; i++)
        {
            report($"prefix reuse: {i + 1} of {sizes.Repeats}");
            await RoundAsync(cold, warm, stored, live);
        }
        foreach (Request request in new[] { cold, warm, stored, live })
        {
            first.Add(request.Name, request.First.Times);
            cached.Add(request.Name, request.Cached.Median);
        }
        result.Aim($"first token over a shared prefix of {sizes.Prefix} tokens, warm ÷ cold (medians)", warm.First.Median / cold.First.Median, WarmToCold, atMost: true);

        async Task RoundAsync(Request cold, Request warm, Request stored, Request live)
        {
            string prefix = engine.Prompt(sizes.Prefix);
            await AskAsync(prefix, cold);
            await AskAsync(prefix, warm);
            await engine.RunAsync(engine.Prompt(OwnTokens), 2 * KeptFor, Samplings.Greedy, new(), cancellationToken);
            await AskAsync(prefix, stored);

            using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            string shared = engine.Prompt(sizes.Prefix);
            StampingSink sink = new();
            Task running = engine.RunAsync(shared + engine.Prompt(OwnTokens), -1, Samplings.Greedy, sink, enough.Token);
            await sink.WaitForAsync(1, cancellationToken);
            await AskAsync(shared, live);
            await enough.CancelAsync();
            await running;
        }

        async Task AskAsync(string prefix, Request request)
        {
            StampingSink sink = new();
            long start = Stopwatch.GetTimestamp();
            await engine.RunAsync(prefix + engine.Prompt(OwnTokens), 1, Samplings.Greedy, sink, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            request.First.Add(sink.First(start));
            request.Cached.Add(sink.Start!.CachedTokens);
        }
    }

    private sealed record Request(string Name)
    {
        /// <summary>Milliseconds to the first token.</summary>
        public Samples First { get; } = new();

        public Samples Cached { get; } = new();
    }
}
