using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Inference.Native;

namespace OllamaMax.Bench.Engine;

/// <summary>The library alone: so many sequences decoded in one batch, step after step, with nothing else done. No engine above it can be faster.</summary>
internal sealed class LibraryLimit : IDisposable
{
    private readonly INativeModel _model;
    private readonly INativeContext _context;
    private readonly DecodeBatch _batch = new(BenchEngine.BatchSize);
    private readonly int _sequences;

    /// <param name="model">The file.</param>
    /// <param name="sequences">Decoded at once.</param>
    /// <param name="context">Tokens of each.</param>
    /// <param name="gpuLayers">Layers in GPU memory; -1: all.</param>
    /// <param name="kept">Tokens that another sequence holds meanwhile, and nobody asks about.</param>
    public LibraryLimit(string model, int sequences, int context, int gpuLayers, int kept = 0)
    {
        _model = NativeModels.Load(NativeKind.Default, model, new ModelConfig(gpuLayers, null), NullLoggerFactory.Instance, CancellationToken.None);
        _context = _model.CreateContext(new ContextConfig
        {
            Capacity = (sequences * context) + kept,
            Sequences = sequences + 1,
            BatchSize = BenchEngine.BatchSize,
            Threads = BenchEngine.Threads,
        });
        _sequences = sequences;
        Read(sequences, kept);
    }

    /// <returns>Tokens a second of all sequences together, each after a prompt of its own.</returns>
    public double Measure(int prompt, int tokens)
    {
        for (int sequence = 0; sequence < _sequences; sequence++)
        {
            _context.TruncateSequence(sequence, 0);
            Read(sequence, prompt);
        }
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < tokens; i++)
            Decode([prompt + i], Enumerable.Range(0, _sequences));
        return _sequences * tokens / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public void Dispose()
    {
        _context.Dispose();
        _model.Dispose();
    }

    private void Read(int sequence, int tokens)
    {
        for (int position = 0; position < tokens; position += BenchEngine.BatchSize)
            Decode(Enumerable.Range(position, Math.Min(BenchEngine.BatchSize, tokens - position)), [sequence]);
    }

    // The step is over when its logits can be read: on a GPU that is later than the call's return.
    private void Decode(IEnumerable<int> positions, IEnumerable<int> sequences)
    {
        _batch.Clear();
        int last = positions.Last();
        foreach (int sequence in sequences)
        {
            foreach (int position in positions)
                _batch.Add((sequence + 31 * position) % _model.VocabularySize, position, sequence, output: position == last);
        }
        if (_context.Decode(_batch) is not DecodeOutcome.Ok and var outcome)
            throw new InvalidOperationException($"The library refused a batch of {_batch.Count} tokens: {outcome}.");
        _ = _context.Logits(_batch.Count - 1)[0];
    }
}
