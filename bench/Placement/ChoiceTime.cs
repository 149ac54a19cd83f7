using System.Collections.Frozen;
using System.Diagnostics;
using OllamaMax.Bench.Reporting;
using OllamaMax.Edge.Cluster;
using OllamaMax.Placement;

namespace OllamaMax.Bench.Placement;

/// <summary>What it costs an edge to choose a worker.</summary>
internal static class ChoiceTime
{
    private const double MostMicroseconds = 20;

    /// <summary>Choices in a batch: shorter than the turns in which a busy machine gives its processors to others.</summary>
    private const int Batch = 20;

    public static void Measure(PlacementSizes sizes, BenchResult result)
    {
        Table table = result.Add(new Table(
            "Choosing one worker",
            $"The real directory's choice among {sizes.Workers} workers with the model in memory, each for another prompt; the median of batches of {Batch}.",
            ["policy", "choices", "microseconds", "fastest batch", "bytes allocated"]));
        (double affinity, double bytes) = MeasureOne(table, "prefix-affinity", new PrefixAffinityPolicy(), sizes);
        MeasureOne(table, "least-loaded", new LeastLoadedPolicy(new Random(sizes.Seed)), sizes);
        result.Aim($"choosing among {sizes.Workers} workers by prefix-affinity, microseconds", affinity, MostMicroseconds, atMost: true);
        result.Aim("bytes allocated for it", bytes, 0, atMost: true);
    }

    private static (double Microseconds, double Bytes) MeasureOne(Table table, string name, IPlacementPolicy policy, PlacementSizes sizes)
    {
        WorkerDirectory directory = new();
        VirtualTime time = new();
        directory.Update(new SimulatedFleet(sizes, time).List(), time.Now);
        PlacementRule rule = new() { Policy = policy };
        JobPlacement[] jobs = [.. Enumerable.Range(0, Batch).Select(number => new JobPlacement(rule, PromptPrefix.OfText($"{number} is what this prompt begins with")))];
        Samples times = new();
        long bytes = 0;
        for (int batch = -sizes.Decisions / Batch; batch < sizes.Decisions / Batch; batch++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            long start = Stopwatch.GetTimestamp();
            foreach (JobPlacement job in jobs)
                directory.Choose(SimulatedFleet.Model, job, FrozenSet<string>.Empty, time.Now);
            TimeSpan taken = Stopwatch.GetElapsedTime(start);
            // As many before have the code compiled, and compiled again.
            if (batch < 0)
                continue;
            bytes += GC.GetAllocatedBytesForCurrentThread() - before;
            times.Add(taken.TotalMicroseconds / Batch);
        }
        table.Add(name, (double)times.Count * Batch, times.Median, times.At(0), bytes / (double)(times.Count * Batch));
        return (times.Median, bytes);
    }
}
