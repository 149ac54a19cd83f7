using System.Diagnostics;
using OllamaMax.Bench.Reporting;

namespace OllamaMax.Bench.Dispatch;

/// <summary>Requests a second with an engine that costs nothing, beside what storage could take of put and delete in the same minute.</summary>
internal static class RequestRate
{
    public static async Task MeasureAsync(
        Stage free, Stage busy, DispatchSizes sizes, BenchResult result, Action<string> report, CancellationToken cancellationToken)
    {
        StorageLimit limit = await StorageLimit.CreateAsync(busy.Storage, cancellationToken);
        Table rates = result.Add(new Table(
            "Requests a second",
            $"Streamed requests of {sizes.ShortTokens} tokens, clients in the same process; medians of {sizes.RateRepeats} interleaved runs of " +
            $"{sizes.RateTime.TotalSeconds:0.#} s. Pushed: {free.Engine.Slots} slots, no storage operation; queued: {busy.Engine.Slots} slots, so that " +
            "with more clients than that most jobs wait in the queue. The limit is put and delete alone, over as many connections, against the same Azurite.",
            ["clients", "pushed /s", "queued /s", "put+delete pairs /s", "pushed ÷ limit", "queued ÷ limit"]));
        Table times = result.Add(Table.OfTimes("Time of a request at that rate", "From the request's start to the end of its stream."));
        foreach (int clients in sizes.Clients)
        {
            report($"requests a second, {clients} clients");
            Samples pushed = new(), queued = new(), pairs = new(), pushedTimes = new(), queuedTimes = new();
            await RunAsync(free, clients, sizes, new(), cancellationToken);
            await RunAsync(busy, clients, sizes, new(), cancellationToken);
            for (int i = 0; i < sizes.RateRepeats; i++)
            {
                pairs.Add(await limit.PairsPerSecondAsync(clients, sizes.RateTime, cancellationToken));
                pushed.Add(await RunAsync(free, clients, sizes, pushedTimes, cancellationToken));
                queued.Add(await RunAsync(busy, clients, sizes, queuedTimes, cancellationToken));
            }
            rates.Add($"{clients}", pushed.Median, queued.Median, pairs.Median, pushed.Median / pairs.Median, queued.Median / pairs.Median);
            times.Add($"{clients} clients, pushed", pushedTimes.Times);
            times.Add($"{clients} clients, {busy.Engine.Slots} slots", queuedTimes.Times);
        }
    }

    /// <returns>Requests a second.</returns>
    private static async Task<double> RunAsync(Stage stage, int clients, DispatchSizes sizes, Samples times, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        int[] done = await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(AskAsync, cancellationToken)));
        return done.Sum() / Stopwatch.GetElapsedTime(start).TotalSeconds;

        async Task<int> AskAsync()
        {
            int count = 0;
            for (; Stopwatch.GetElapsedTime(start) < sizes.RateTime; count++)
                times.Add((await stage.Chat.GenerateAsync(sizes.ShortTokens, null, cancellationToken)).Whole);
            return count;
        }
    }
}
