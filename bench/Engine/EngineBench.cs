using OllamaMax.Bench.Reporting;

namespace OllamaMax.Bench.Engine;

/// <summary>What the engine makes of a mid-size model on one thread.</summary>
internal static class EngineBench
{
    public static async Task RunAsync(BenchOptions options, BenchResult result, CancellationToken cancellationToken)
    {
        EngineSizes sizes = options.Quick ? EngineSizes.Quick : options.Gpu ? EngineSizes.Gpu : EngineSizes.Full;
        sizes = sizes with { Repeats = options.Repeats ?? sizes.Repeats };
        string model = BenchModel.Find(sizes.Model, options.Report);
        if (options.Wants("throughput"))
        {
            await using NodePeer? peer = sizes.WithPeer ? await NodePeer.StartAsync(model, options.Report, cancellationToken) : null;
            await Throughput.MeasureAsync(model, sizes, peer, result, options.Report, cancellationToken);
        }
        if (options.Wants("mixed"))
            await MixedLoad.MeasureAsync(model, sizes, result, options.Report, cancellationToken);
        if (options.Wants("prefix"))
            await PrefixReuse.MeasureAsync(model, sizes, result, options.Report, cancellationToken);
    }
}
