using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Batching;

/// <summary>
/// Where one long prompt at a time is read while answers run: a context of its own. In the answers' context, what is read of it from step to step would lie
/// between their tokens, and on a CPU looking back then takes all of them up to three times as long. What was read is copied to the answers in pieces. Used by the decode thread alone.
/// </summary>
/// <param name="context">With one sequence; owned from here on.</param>
/// <param name="answers">The answers' context.</param>
internal sealed class PromptStage(INativeContext context, INativeContext answers) : IDisposable
{
    /// <summary>Tokens that are copied at once: many enough to lie together, few enough not to be felt.</summary>
    internal const int Piece = 256;

    /// <summary>A shorter prompt is read in a few steps wherever it lies.</summary>
    internal const int Shortest = 64;

    private readonly Sequence _read = new(0);

    /// <summary>Whose prompt is read here.</summary>
    public EngineJob? Job { get; private set; }

    /// <summary>What the next step reads.</summary>
    public DecodeBatch Batch { get; } = new(context.BatchSize);

    /// <summary>Tokens to read here: the prompt's last one is read beside the answers, as its output is sampled there.</summary>
    public int Pending => Job!.Length - 1 - _read.Length;

    /// <summary>Of these, how many one step can read.</summary>
    public int Next => Math.Min(Pending, Batch.Capacity);

    /// <summary>Whether enough is read to be copied.</summary>
    public bool HasPiece => Job is { Sequence: { } sequence } && _read.Length - sequence.Length >= Math.Min(Piece, Job.Length - 1 - sequence.Length);

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
            if (job.Pending >= Shortest && job.Length <= context.Capacity && (longest is null || job.Pending > longest.Pending))
                longest = job;
        }
        if (longest is null || (longest.Sequence!.Length > 0 && !context.AppendSequence(answers, longest.Sequence.Id, _read.Id)))
            return;
        _read.Append(longest.Sequence.Tokens);
        Job = longest;
    }

    /// <summary>Plans the next tokens of the prompt.</summary>
    public void Plan(int count)
    {
        ReadOnlySpan<int> tokens = Job!.Tokens.Slice(_read.Length, count);
        for (int i = 0; i < count; i++)
            Batch.Add(tokens[i], _read.Length + i, _read.Id, output: false);
    }

    /// <summary>Reads what was planned.</summary>
    /// <exception cref="NativeException">The computation failed.</exception>
    public DecodeOutcome Decode()
    {
        DecodeOutcome outcome = context.Decode(Batch);
        if (outcome == DecodeOutcome.Ok)
            _read.Append(Batch.Tokens);
        return outcome;
    }

    /// <summary>Copies what was read to the answers; with the last piece the stage is free.</summary>
    /// <returns>False where there is no room.</returns>
    public bool Move()
    {
        Sequence sequence = Job!.Sequence!;
        if (!answers.AppendSequence(context, _read.Id, sequence.Id))
            return false;
        sequence.Append(_read.Tokens[sequence.Length..]);
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

    public void Dispose() => context.Dispose();

    private void Clear()
    {
        context.TruncateSequence(_read.Id, 0);
        _read.Truncate(0);
        Batch.Clear();
        Job = null;
    }
}
