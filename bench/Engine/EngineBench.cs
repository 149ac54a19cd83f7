using OllamaMax.Bench.Reporting;

namespace OllamaMax.Bench.Engine;

/// <summary>What the engine makes of a mid-size model on one thread.</summary>
internal static class EngineBench
{
    public static async Task RunAsync(BenchOptions options, BenchResult result, CancellationToken cancellationToken)
    {
        EngineSizes sizes = options.Quick ? EngineSizes.Quick : EngineSizes.Full;
        string model = BenchModel.Find(sizes.Model, options.Report);
        // Alone while it is measured: a peer that idles still has its threads and memory, so it is gone before the rest.
        await using (NodePeer? peer = sizes.WithPeer ? await NodePeer.StartAsync(model, options.Report, cancellationToken) : null)
            await Throughput.MeasureAsync(model, sizes, peer, result, options.Report, cancellationToken);
        await MixedLoad.MeasureAsync(model, sizes, result, options.Report, cancellationToken);
        await PrefixReuse.MeasureAsync(model, sizes, result, options.Report, cancellationToken);
    }
}
