using OllamaMax.Jobs.Records;

namespace OllamaMax.Orchestrations;

/// <summary>What an orchestration has come to. Answers stay in the outputs of their jobs.</summary>
/// <param name="Status">Completed, failed or cancelled.</param>
/// <param name="Answers">Jobs whose answers are the result, in the branches' order.</param>
public sealed record StrategyResult(RecordStatus Status, IReadOnlyList<string> Answers)
{
    public string? Error { get; init; }

    public VoteOutcome? Vote { get; init; }

    public IReadOnlyList<BranchView> Branches { get; init; } = [];

    public static StrategyResult Completed(IEnumerable<BranchView> answers) => new(RecordStatus.Completed, [.. answers.Select(branch => branch.JobId!)]);

    public static StrategyResult Failed(string error) => new(RecordStatus.Failed, []) { Error = error };
}

/// <summary>An orchestration's custom status: what can be watched of it.</summary>
public sealed record StrategyProgress(IReadOnlyList<BranchView> Branches);

/// <summary>A branch, as it is now.</summary>
public sealed record BranchView
{
    public required int Index { get; init; }

    /// <summary>choice, map, reduce, candidate or judge.</summary>
    public required string Role { get; init; }

    public required string Model { get; init; }

    /// <summary>The background job that runs it, or ran it last; null before the first.</summary>
    public string? JobId { get; init; }

    public RecordStatus Status { get; init; } = RecordStatus.Queued;

    /// <summary>Jobs so far; each has attempts of its own.</summary>
    public int Jobs { get; init; }

    public string? Error { get; init; }
}
