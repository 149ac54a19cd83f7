using System.Globalization;
using OllamaMax.Bench.Reporting;

namespace OllamaMax.Bench.Engine;

/// <summary>Prompt and answer tokens a second, against node-llama-cpp with as many sequences and with one.</summary>
internal static class Throughput
{
    // Ours at so many sequences over the peer's single stream: a client of its JavaScript API that asks one thing after the other.
    private static readonly (int Sequences, double Ratio)[] s_aims = [(1, 1.0), (4, 1.5), (8, 1.9)];

    public static async Task MeasureAsync(
        string model, EngineSizes sizes, NodePeer? peer, BenchResult result, Action<string> report, CancellationToken cancellationToken)
    {
        Table prompts = result.Add(new Table(
            "Prompt tokens a second",
            $"A prompt of {sizes.Prompt} tokens alone, until its first token; medians of {sizes.Repeats} interleaved runs. Peer: {(peer is null ? "none" : NodePeer.Version)}.",
            ["sequences", "ours /s", "peer /s", "ours ÷ peer"]));
        double alone = double.NaN;
        foreach (Series series in Series.Of(sizes))
        {
            Table answers = result.Add(new Table(
                $"Answer tokens a second, {series.Title}",
                $"All sequences together while all run: answers of {series.Tokens} tokens after prompts of {series.Prompt}; medians of {sizes.Repeats} interleaved " +
                $"runs. Peer: {(peer is null ? "none" : NodePeer.Version)}, batching as many sequences in one context; at 1: its single stream after a short prompt, greedy. " +
                "Library: llama.cpp decoding as many sequences with nothing else done.",
                ["sequences", "ours /s", "library /s", "ours ÷ library", "peer /s", "ours ÷ peer at as many", "ours ÷ peer at 1", "bytes allocated a token"]));
            foreach (int sequences in series.Sequences)
            {
                Figures figures = await MeasureAsync(model, series, sequences, sizes, peer, cancellationToken);
                double ours = figures.Ours.Median, theirs = figures.Peer.Median;
                report(string.Create(CultureInfo.InvariantCulture, $"answers, {series.Title}, {sequences} sequences: {ours:0} a second"));
                if (series.IsMain && sequences == 1)
                    alone = theirs;
                double limit = figures.Library.Median;
                answers.Add($"{sequences}", ours, limit, ours / limit, theirs, ours / theirs, ours / alone, figures.Allocated.Median);
                if (figures.OurPrompt.Count > 0)
                    prompts.Add("1", figures.OurPrompt.Median, figures.PeerPrompt.Median, figures.OurPrompt.Median / figures.PeerPrompt.Median);
                if (series.IsMain && Array.Find(s_aims, aim => aim.Sequences == sequences) is { Sequences: > 0 } aim)
                    result.Aim($"tokens/s at {sequences} ÷ node-llama-cpp at 1, greedy", ours / alone, aim.Ratio, atMost: false);
            }
        }
    }

    private static async Task<Figures> MeasureAsync(
        string model, Series series, int sequences, EngineSizes sizes, NodePeer? peer, CancellationToken cancellationToken)
    {
        int context = Math.Max(sizes.Prompt, series.Prompt) + series.Tokens;
        if (sequences > sizes.MostPeerSequences)
            peer = null;
        await using BenchEngine engine = await BenchEngine.LoadAsync(model, sequences, context, sizes.GpuLayers, cancellationToken);
        if (peer is not null)
            await peer.OpenAsync(sequences, context, cancellationToken);
        using LibraryLimit library = new(model, sequences, context, sizes.GpuLayers);
        Figures figures = new();
        // The first round is not counted: pages are read, code is compiled.
        for (int i = -1; i < sizes.Repeats; i++)
        {
            Figures into = i < 0 ? new() : figures;
            string[] prompts = [.. Enumerable.Range(0, sequences).Select(_ => engine.Prompt(series.Prompt))];
            // Answers that begin together, as the peer's do: prompts beside answers are read as slowly as these can bear.
            if (series.ReadsFirst)
                await engine.RunAllAsync(prompts, 1, series.Sampling, cancellationToken);
            long allocated = GC.GetTotalAllocatedBytes();
            into.Ours.Add((await engine.RunAllAsync(prompts, series.Tokens, series.Sampling, cancellationToken)).TokensPerSecond);
            into.Allocated.Add((double)(GC.GetTotalAllocatedBytes() - allocated) / (sequences * series.Tokens));
            into.Library.Add(library.Measure(series.Prompt, series.Tokens));
            if (peer is not null)
                into.Peer.Add((await peer.RunAllAsync(prompts, series.Tokens, series.Sampling, cancellationToken)).TokensPerSecond);
            if (!series.IsMain || sequences > 1)
                continue;
            string[] prompt = [engine.Prompt(sizes.Prompt)];
            into.OurPrompt.Add(sizes.Prompt / (await engine.RunAllAsync(prompt, 1, series.Sampling, cancellationToken)).FirstToken * 1000);
            if (peer is not null)
                into.PeerPrompt.Add(sizes.Prompt / (await peer.RunAllAsync(prompt, 1, series.Sampling, cancellationToken)).FirstToken * 1000);
        }
        return figures;
    }

    /// <summary>Answers that are measured alike, at several numbers of sequences.</summary>
    /// <param name="IsMain">The one that aims are set for.</param>
    /// <param name="ReadsFirst">The prompts are read before the answers are measured.</param>
    private sealed record Series(string Title, string Sampling, int Prompt, int Tokens, IReadOnlyList<int> Sequences, bool IsMain = false, bool ReadsFirst = false)
    {
        /// <summary>The main one first: its single stream is what all are compared with.</summary>
        public static IEnumerable<Series> Of(EngineSizes sizes) =>
        [
            new("greedy", Samplings.Greedy, sizes.ShortPrompt, sizes.Tokens, sizes.Sequences, IsMain: true),
            new("Ollama's default sampling", Samplings.Ollama, sizes.ShortPrompt, sizes.Tokens, sizes.SampledSequences),
            // Attention has more to look at: here it shows whether a sequence pays for the others' tokens.
            new("greedy, after longer prompts", Samplings.Greedy, sizes.LongerPrompt, sizes.Tokens, sizes.LongSequences, ReadsFirst: true),
        ];
    }

    private sealed class Figures
    {
        public Samples Ours { get; } = new();

        public Samples Library { get; } = new();

        public Samples Peer { get; } = new();

        public Samples Allocated { get; } = new();

        public Samples OurPrompt { get; } = new();

        public Samples PeerPrompt { get; } = new();
    }
}
