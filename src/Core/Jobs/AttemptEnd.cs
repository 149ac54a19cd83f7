using System.Text.Json.Serialization;

namespace OllamaMax.Jobs;

/// <summary>How and at what cost an attempt ended. Durations are measured at the worker.</summary>
public sealed record AttemptEnd
{
    public required EndReason Reason { get; init; }

    /// <summary>What that means for the job, where it is not a failure.</summary>
    [JsonIgnore]
    public FinishReason Finish => Reason switch
    {
        EndReason.Length => FinishReason.Length,
        EndReason.Loaded => FinishReason.Load,
        _ => FinishReason.Stop,
    };

    /// <summary>The answer is there: whoever went on with it would have nothing to add.</summary>
    [JsonIgnore]
    public bool IsAnswer => Reason is EndReason.Stop or EndReason.Length or EndReason.Loaded;

    /// <summary>For people: what went wrong. Set when <see cref="Reason"/> is a failure.</summary>
    public string? Error { get; init; }

    /// <summary>With <see cref="EndReason.Invalid"/>: what was asked does not fit into the context.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ContextExcess? Excess { get; init; }

    /// <summary>With <see cref="EndReason.Failed"/>: the engine's process died under it by a fault of its own, or hung and was ended.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Crashed { get; init; }

    public TimeSpan EvalDuration { get; init; }

    /// <summary>Tokens of the answer that were guessed and decoded beside the one before them.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int DraftedTokens { get; init; }

    /// <summary>Of these, the ones that were chosen indeed: each saved a step.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int AcceptedTokens { get; init; }

    /// <summary>Tokens of the answer, where its pieces are no tokens (<see cref="PieceKind"/>) and the server has counted them.</summary>
    public int? Tokens { get; init; }

    /// <summary>What the prompt took, where that is known only at the end: it stands for what was said at the attempt's start.</summary>
    public AttemptStart? Start { get; init; }
}

/// <summary>More than a context holds. APIs have words of their own for it, which clients go by.</summary>
/// <param name="Tokens">Of the prompt or input; at least.</param>
/// <param name="Context">Most that there may be.</param>
public sealed record ContextExcess(long Tokens, int Context);

public enum EndReason
{
    /// <summary>The model said that it is done.</summary>
    Stop,

    /// <summary>num_predict or the context is used up.</summary>
    Length,

    /// <summary>The model is in memory, and that was all that was asked for.</summary>
    Loaded,

    /// <summary>The owner asked the worker to stop.</summary>
    Cancelled,

    /// <summary>The worker is leaving, or storage does not give it the job: another one is to go on from here.</summary>
    HandedBack,

    /// <summary>The request cannot be run by any worker, such as a prompt longer than the context.</summary>
    Invalid,

    /// <summary>This worker could not; another one may.</summary>
    Failed,
}
