using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Batching;

/// <summary>
/// Where one long prompt at a time is read while answers run: a context of its own, in slices of time between their steps. As few tokens as a step has time
/// for would take a CPU twice as long each as a batch does; and in the answers' context they would lie between those of the answers, and looking back take all of them up to
/// three times as long. What was read is copied to the answers in pieces. Used by the decode thread alone.
/// </summary>
/// <param name="context">Interruptible, with one sequence; owned from here on.</param>
/// <param name="answers">The answers' context.</param>
/// <param name="time">The clock.</param>
internal sealed class PromptStage(INativeContext context, INativeContext answers, TimeProvider time) : IDisposable
{
    /// <summary>Tokens that are copied at once: many enough to lie together, few enough for a part of a slice.</summary>
    internal const int Piece = 128;

    /// <summary>Tokens of a batch: from so many on ggml's CPU attention works in tiles, at a quarter of the cost. A shorter prompt is not worth the way.</summary>
    internal const int BatchSize = 64;

    private readonly Sequence _read = new(0);
    private readonly DecodeBatch _batch = new(context.BatchSize);
    private readonly SlicedDecoder _decoder = new(context, time);

    /// <summary>Whose prompt is read here.</summary>
    public EngineJob? Job { get; private set; }

    /// <summary>Tokens to read here: the prompt's last one is read beside the answers, as its output is sampled there.</summary>
    public int Pending => Job!.Length - 1 - _read.Length;

    /// <summary>Whether enough is read to be copied.</summary>
    public bool HasPiece => Job is { Sequence: { } sequence } && _read.Length - sequence.Length >= Math.Min(Piece, Job.Length - 1 - sequence.Length);

    /// <summary>A context to read in.</summary>
    /// <param name="answers">The answers' context.</param>
    /// <param name="capacity">Tokens of the longest prompt.</param>
    public static ContextConfig Config(ContextConfig answers, int capacity) => answers with
    {
        Capacity = capacity,
        Sequences = 1,
        BatchSize = Math.Min(answers.BatchSize, BatchSize),
        IsInterruptible = true,
    };

    /// <summary>Takes the longest prompt, where answers run that it would disturb.</summary>
    /// <param name="running">All jobs that have a sequence.</param>
    public void Take(List<EngineJob> running)
    {
        if (Job is not null || !running.Exists(static job => job.Pending == 1))
            return;
        // Asked for each token of each answer: so it allocates nothing.
        EngineJob? longest = null;
        foreach (EngineJob job in running)
        {
            if (!job.IsLoading && job.Pending >= BatchSize && job.Length <= context.Capacity && (longest is null || job.Pending > longest.Pending))
                longest = job;
        }
        if (longest is null || !Copy(answers, longest.Sequence!, context, _read))
            return;
        Job = longest;
    }

    /// <summary>Reads on in the prompt.</summary>
    /// <param name="slice">For so long, or until a piece is read.</param>
    /// <returns>Other than <see cref="DecodeOutcome.Ok"/>: it cannot be read.</returns>
    /// <exception cref="NativeException">The computation failed.</exception>
    public DecodeOutcome Read(TimeSpan slice)
    {
        long start = time.GetTimestamp();
        TimeSpan left = slice;
        do
        {
            if (!_decoder.IsWithin)
                Plan();
            if (_decoder.Run(_batch, left) is not { } outcome)
                return DecodeOutcome.Ok;
            if (outcome != DecodeOutcome.Ok)
                return outcome;
            _read.Append(_batch.Tokens);
            left = slice - time.GetElapsedTime(start);
        }
        while (left > TimeSpan.Zero && !HasPiece);
        return DecodeOutcome.Ok;
    }

    /// <summary>Copies what was read to the answers; with the last piece the stage is free.</summary>
    /// <returns>False where there is no room.</returns>
    public bool Move()
    {
        if (!Copy(context, _read, answers, Job!.Sequence!))
            return false;
        if (Pending == 0)
            Clear();
        return true;
    }

    /// <summary>Forgets a job that ends or has to wait: what was copied of it stays.</summary>
    public void Leave(EngineJob job)
    {
        if (Job == job)
            Clear();
    }

    public void Dispose() => _decoder.Dispose();

    private static bool Copy(INativeContext source, Sequence from, INativeContext target, Sequence to)
    {
        if (from.Length == to.Length)
            return true;
        using SequencePart part = source.Save(from.Id, to.Length, from.Length);
        if (!target.Append(to.Id, part))
            return false;
        to.Append(from.Tokens[to.Length..]);
        return true;
    }

    private void Plan()
    {
        _batch.Clear();
        ReadOnlySpan<int> tokens = Job!.Tokens.Slice(_read.Length, Math.Min(Pending, _batch.Capacity));
        for (int i = 0; i < tokens.Length; i++)
            _batch.Add(tokens[i], _read.Length + i, _read.Id, output: false);
    }

    private void Clear()
    {
        _decoder.GiveUp();
        context.TruncateSequence(_read.Id, 0);
        _read.Truncate(0);
        Job = null;
    }
}
