namespace OllamaMax.Jobs;

/// <summary>What a job's owner tells whoever reads the answer, in this order: Accepted, Delta*, then Finished or Failed.</summary>
public abstract record JobOutput
{
    private JobOutput()
    {
    }

    /// <summary>A worker has taken the job: response headers may be committed. Comes once, also when a later attempt takes over.</summary>
    public sealed record Accepted(string WorkerId) : JobOutput;

    /// <summary>Text that is final: no stop string, no half character in it.</summary>
    /// <param name="Text">What to append.</param>
    /// <param name="Tokens">Tokens of the answer so far, those without text yet counted in.</param>
    public sealed record Delta(string Text, int Tokens) : JobOutput;

    public sealed record Finished(FinishReason Reason, JobStatistics Statistics) : JobOutput;

    public sealed record Failed(JobError Error) : JobOutput;
}

public enum FinishReason
{
    Stop,
    Length,

    /// <summary>The model was to be loaded, and is.</summary>
    Load,
}

/// <summary>Measured figures of a finished job.</summary>
public sealed record JobStatistics
{
    /// <summary>From the owner's taking the job to its end, at the owner.</summary>
    public required TimeSpan TotalDuration { get; init; }

    public required TimeSpan LoadDuration { get; init; }

    public required int PromptTokens { get; init; }

    public required TimeSpan PromptDuration { get; init; }

    public required int Tokens { get; init; }

    public required TimeSpan EvalDuration { get; init; }

    /// <summary>Attempts it took; 1 when nothing happened.</summary>
    public required int Attempts { get; init; }
}
