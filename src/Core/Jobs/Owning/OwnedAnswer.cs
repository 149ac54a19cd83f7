using OllamaMax.Jobs.Assembling;

namespace OllamaMax.Jobs.Owning;

/// <summary>One job's answer at its owner: the chunks in order, what they say to the client, and the figures. Knows nothing of who produces it.</summary>
/// <param name="startedAt">The moment the job was taken on.</param>
internal sealed class OwnedAnswer(Job job, TimeSpan startedAt)
{
    private readonly AnswerBuffer _buffer = new();
    private readonly AnswerText _text = new(job);
    private AttemptStart? _start;
    private TimeSpan _firstTokenAt;
    private TimeSpan _evalBefore;

    public IReadOnlyList<int> Tokens => _buffer.Tokens;

    /// <summary>Index of the first token that is missing.</summary>
    public int Next => _buffer.Next;

    /// <summary>Chunks have come that cannot be used yet.</summary>
    public bool HasGap => _buffer.HasGap;

    /// <summary>Whether another attempt can go on after what is here.</summary>
    public bool IsContinuable => _buffer.IsContinuable;

    /// <summary>The stop string that was found: the answer ends there, whatever comes. Null: none.</summary>
    public string? StoppedBy => _text.StoppedBy;

    /// <summary>Takes a chunk in; answers what has become contiguous, in order.</summary>
    public IEnumerable<Chunk> Add(Chunk chunk) => _buffer.Add(chunk);

    /// <summary>Forgets what came early: it was of an attempt that no longer counts.</summary>
    public void DropAhead() => _buffer.DropAhead();

    /// <summary>What the client is to be told with the next chunk in order.</summary>
    public IEnumerable<JobOutput> Read(Chunk fresh, TimeSpan now)
    {
        if (_start is null)
        {
            _start = fresh.Start;
            _firstTokenAt = now;
        }
        if (job.EmbedInputs is not null)
            return EmbeddingChunks.Read(fresh);
        Assembled piece = _text.Append(fresh);
        if (fresh.End?.Reason is EndReason.Stop or EndReason.Length or EndReason.Loaded)
            piece += _text.Complete(isCut: fresh.End.Reason == EndReason.Length);
        return piece.IsEmpty ? [] : [_text.Tell(piece)];
    }

    /// <summary>The tokens without text that were left after the last that had some. Null: none.</summary>
    public JobOutput.Delta? Rest() => _text.HasRest ? _text.Tell(Assembled.Nothing) : null;

    /// <summary>An attempt has ended that was not the last.</summary>
    public void Interrupted(AttemptEnd end) => _evalBefore += end.EvalDuration;

    /// <param name="end">How the last attempt ended; null where it was stopped.</param>
    /// <param name="now">The time.</param>
    /// <param name="attempts">That were needed.</param>
    public JobStatistics Statistics(AttemptEnd? end, TimeSpan now, int attempts)
    {
        AttemptStart? start = end?.Start ?? _start;
        return new JobStatistics
        {
            TotalDuration = now - startedAt,
            LoadDuration = start?.LoadDuration ?? default,
            PromptTokens = start?.PromptTokens ?? 0,
            CachedTokens = start?.CachedTokens ?? 0,
            PromptDuration = start?.PromptDuration ?? default,
            Tokens = end?.Tokens ?? _text.Tokens,
            ReasoningTokens = _text.ReasoningTokens,
            // The worker measures it; a stop string is found here, before the worker knows, so the time until then is taken here.
            EvalDuration = end is null ? now - _firstTokenAt : _evalBefore + end.EvalDuration,
            DraftedTokens = end?.DraftedTokens ?? 0,
            AcceptedTokens = end?.AcceptedTokens ?? 0,
            Attempts = attempts,
        };
    }
}
