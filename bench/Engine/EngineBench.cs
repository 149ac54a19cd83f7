using OllamaMax.Bench.Reporting;
using OllamaMax.Inference.Packages;

namespace OllamaMax.Bench.Engine;

/// <summary>What the engine makes of a mid-size model on one thread, or of that and a larger one on a GPU.</summary>
internal static class EngineBench
{
    public static async Task RunAsync(BenchOptions options, BenchResult result, CancellationToken cancellationToken)
    {
        EngineSizes sizes = options.Quick ? EngineSizes.Quick : options.Large ? EngineSizes.LargeGpu : options.Gpu ? EngineSizes.Gpu : EngineSizes.Full;
        sizes = sizes with { Repeats = options.Repeats ?? sizes.Repeats };
        string model = BenchModel.Find(sizes.Model, options.Report);
        if (options.Wants("throughput"))
        {
            await using NodePeer? peer = await PeerAsync(model, sizes, options.Report, cancellationToken);
            await Throughput.MeasureAsync(model, sizes, peer, result, options.Report, cancellationToken);
        }
        if (options.Wants("kept"))
            KeptPrompts.Measure(model, sizes, result, options.Report, cancellationToken);
        if (options.Wants("drafts"))
            await Drafts.MeasureAsync(model, sizes, result, options.Report, cancellationToken);
        if (options.Wants("mixed"))
            await MixedLoad.MeasureAsync(model, sizes, result, options.Report, cancellationToken);
        if (options.Wants("prefix"))
            await PrefixReuse.MeasureAsync(model, sizes, result, options.Report, cancellationToken);
    }

    private static async Task<NodePeer?> PeerAsync(string model, EngineSizes sizes, Action<string> report, CancellationToken cancellationToken)
    {
        if (!sizes.WithPeer)
            return null;
        bool onGpu = sizes.GpuLayers != 0;
        try
        {
            return await NodePeer.StartAsync(model, onGpu, report, cancellationToken);
        }
        catch (PrerequisiteException reason) when (onGpu)
        {
            // A box with a GPU need not have Node.js; what is measured there without it says that there was no peer.
            report($"without the peer: {reason.Message}");
            return null;
        }
    }
}
