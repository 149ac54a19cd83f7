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
        foreach (string sampling in new[] { Samplings.Greedy, Samplings.Ollama })
        {
            Table answers = result.Add(new Table(
                sampling == Samplings.Greedy ? "Answer tokens a second, greedy" : "Answer tokens a second, Ollama's default sampling",
                $"All sequences together while all run: answers of {sizes.Tokens} tokens after prompts of {sizes.ShortPrompt}; medians of {sizes.Repeats} interleaved " +
                $"runs. Peer: {(peer is null ? "none" : NodePeer.Version)}, batching as many sequences in one context.",
                ["sequences", "ours /s", "peer /s", "ours ÷ peer at as many", "ours ÷ peer at 1", "bytes allocated a token"]));
            double alone = double.NaN;
            foreach (int sequences in sampling == Samplings.Greedy ? sizes.Sequences : sizes.SampledSequences)
            {
                report($"answers, {sampling}, {sequences} sequences");
                Figures figures = await MeasureAsync(model, sequences, sampling, sizes, peer, sequences == 1 && sampling == Samplings.Greedy, cancellationToken);
                double ours = figures.Ours.Median, theirs = figures.Peer.Median;
                if (sequences == 1)
                    alone = theirs;
                answers.Add($"{sequences}", ours, theirs, ours / theirs, ours / alone, figures.Allocated.Median);
                if (figures.OurPrompt.Count > 0)
                    prompts.Add("1", figures.OurPrompt.Median, figures.PeerPrompt.Median, figures.OurPrompt.Median / figures.PeerPrompt.Median);
                if (sampling == Samplings.Greedy && Array.Find(s_aims, aim => aim.Sequences == sequences) is { Sequences: > 0 } aim)
                    result.Aim($"tokens/s at {sequences} ÷ node-llama-cpp at 1, greedy", ours / alone, aim.Ratio, atMost: false);
            }
        }
    }

    private static async Task<Figures> MeasureAsync(
        string model, int sequences, string sampling, EngineSizes sizes, NodePeer? peer, bool withPrompt, CancellationToken cancellationToken)
    {
        int context = sizes.Prompt + sizes.Tokens;
        await using BenchEngine engine = await BenchEngine.LoadAsync(model, sequences, context, cancellationToken);
        if (peer is not null)
            await peer.OpenAsync(sequences, context, cancellationToken);
        Figures figures = new();
        // The first round is not counted: pages are read, code is compiled.
        for (int i = -1; i < sizes.Repeats; i++)
        {
            Figures into = i < 0 ? new() : figures;
            string[] prompts = [.. Enumerable.Range(0, sequences).Select(_ => engine.Prompt(sizes.ShortPrompt))];
            long allocated = GC.GetTotalAllocatedBytes();
            into.Ours.Add((await engine.RunAllAsync(prompts, sizes.Tokens, sampling, cancellationToken)).TokensPerSecond);
            into.Allocated.Add((double)(GC.GetTotalAllocatedBytes() - allocated) / (sequences * sizes.Tokens));
            if (peer is not null)
                into.Peer.Add((await peer.RunAllAsync(prompts, sizes.Tokens, sampling, cancellationToken)).TokensPerSecond);
            if (!withPrompt)
                continue;
            string[] prompt = [engine.Prompt(sizes.Prompt)];
            into.OurPrompt.Add(sizes.Prompt / (await engine.RunAllAsync(prompt, 1, sampling, cancellationToken)).FirstToken * 1000);
            if (peer is not null)
                into.PeerPrompt.Add(sizes.Prompt / (await peer.RunAllAsync(prompt, 1, sampling, cancellationToken)).FirstToken * 1000);
        }
        return figures;
    }

    private sealed class Figures
    {
        public Samples Ours { get; } = new();

        public Samples Peer { get; } = new();

        public Samples Allocated { get; } = new();

        public Samples OurPrompt { get; } = new();

        public Samples PeerPrompt { get; } = new();
    }
}
