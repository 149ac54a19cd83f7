namespace OllamaMax.Jobs;

/// <summary>What a job's owner tells whoever reads the answer, in this order: Accepted, Delta* or Embedding*, then Finished or Failed.</summary>
public abstract record JobOutput
{
    private JobOutput()
    {
    }

    /// <summary>A worker has taken the job: response headers may be committed. Comes once, also when a later attempt takes over; not for an unload.</summary>
    public sealed record Accepted(string WorkerId) : JobOutput;

    /// <summary>Text that is final: no stop string, no half character in it.</summary>
    /// <param name="Text">What to append.</param>
    /// <param name="Tokens">Tokens of the answer so far, those without text yet counted in.</param>
    public sealed record Delta(string Text, int Tokens) : JobOutput
    {
        /// <summary>Reasoning, where the job has it taken apart from the answer.</summary>
        public string Thinking { get; init; } = "";

        /// <summary>Calls that are complete.</summary>
        public IReadOnlyList<ToolCall> ToolCalls { get; init; } = [];

        /// <summary>The tokens since the last delta, where the job asks for their probabilities.</summary>
        public IReadOnlyList<TokenText> Logprobs { get; init; } = [];
    }

    /// <summary>The vector of one input of an embedding job; in the inputs' order.</summary>
    /// <param name="Tokens">Tokens of the input.</param>
    public sealed record Embedding(int Index, int Tokens, float[] Vector) : JobOutput;

    public sealed record Finished(FinishReason Reason, JobStatistics Statistics) : JobOutput
    {
        /// <summary>The stop string that ended the answer; null: none did.</summary>
        public string? StoppedBy { get; init; }
    }

    public sealed record Failed(JobError Error) : JobOutput;
}

/// <param name="Piece">The token's bytes; may be part of a character.</param>
public sealed record TokenText(int Token, byte[] Piece, TokenLogprobs Logprobs);

public enum FinishReason
{
    Stop,
    Length,

    /// <summary>The model was to be loaded, and is.</summary>
    Load,

    /// <summary>The model was to leave memory, and the workers that held it have been told.</summary>
    Unload,
}

/// <summary>Measured figures of a finished job.</summary>
public sealed record JobStatistics
{
    /// <summary>From the owner's taking the job to its end, at the owner.</summary>
    public required TimeSpan TotalDuration { get; init; }

    public required TimeSpan LoadDuration { get; init; }

    public required int PromptTokens { get; init; }

    /// <summary>Of these, not decoded because their state was still there.</summary>
    public int CachedTokens { get; init; }

    public required TimeSpan PromptDuration { get; init; }

    public required int Tokens { get; init; }

    /// <summary>Of these, the ones of the reasoning, where it is taken apart from the answer.</summary>
    public int ReasoningTokens { get; init; }

    public required TimeSpan EvalDuration { get; init; }

    /// <inheritdoc cref="AttemptEnd.DraftedTokens"/>
    /// <remarks>Those of the attempt that came to the end, where its worker said so.</remarks>
    public int DraftedTokens { get; init; }

    /// <inheritdoc cref="AttemptEnd.AcceptedTokens"/>
    public int AcceptedTokens { get; init; }

    /// <summary>Attempts it took; 1 when nothing happened.</summary>
    public required int Attempts { get; init; }
}
