using Microsoft.DurableTask.Client;
using OllamaMax.Jobs.Records;
using OllamaMax.Orchestrations;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>How far a job with a strategy is, as its orchestration tells.</summary>
internal sealed record StrategyState(RecordStatus Status, IReadOnlyList<BranchView> Branches)
{
    /// <summary>It has been submitted, and that is all that is known.</summary>
    public static StrategyState Submitted { get; } = new(RecordStatus.Queued, []);

    /// <summary>Who submitted it was never told that it was taken on: it may have been submitted again.</summary>
    public static StrategyState NeverBegun { get; } = new(RecordStatus.Failed, []) { Error = "the server ended before it was begun; submit it again" };

    /// <summary>Null until it has ended, and where it was ended from outside.</summary>
    public StrategyResult? Result { get; init; }

    public string? Error { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public bool IsEnded => Status is RecordStatus.Completed or RecordStatus.Failed or RecordStatus.Cancelled;

    /// <param name="state">With its outputs.</param>
    public static StrategyState Of(OrchestrationMetadata state)
    {
        StrategyResult? result = state.RuntimeStatus == OrchestrationRuntimeStatus.Completed ? state.ReadOutputAs<StrategyResult>() : null;
        IReadOnlyList<BranchView> branches = result?.Branches ?? state.ReadCustomStatusAs<StrategyProgress>()?.Branches ?? [];
        if (!state.IsCompleted)
            return new(branches.Count == 0 ? RecordStatus.Queued : RecordStatus.Running, branches);
        return new(result?.Status ?? RecordStatus.Failed, branches)
        {
            Result = result,
            Error = result?.Error ?? state.FailureDetails?.ErrorMessage,
            EndedAt = state.LastUpdatedAt,
        };
    }
}
