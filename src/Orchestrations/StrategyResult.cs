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

/// <summary>
/// An orchestration's custom status: what can be watched of it. Durable Functions takes 16 KB of UTF-16, so of many branches those that are under way stand in it before those that have
/// failed, and those before the ones that are done.
/// </summary>
public sealed record StrategyProgress(IReadOnlyList<BranchView> Branches)
{
    /// <summary>Characters of JSON, well below what there may be.</summary>
    private const int Most = 7000;

    /// <summary>Characters of a branch's JSON but for its texts.</summary>
    private const int Frame = 100;

    private const int LongestError = 200;

    /// <summary>As many of them as there is room for, in their order.</summary>
    public static StrategyProgress Of(IReadOnlyList<BranchView> branches)
    {
        int left = Most;
        return new([
            .. branches
                .Select(branch => branch.Error?.Length > LongestError ? branch with { Error = branch.Error[..LongestError] } : branch)
                .OrderBy(Rank)
                .ThenBy(branch => branch.Index)
                .TakeWhile(branch => (left -= Size(branch)) >= 0)
                .OrderBy(branch => branch.Index),
        ]);
    }

    private static int Rank(BranchView branch) => branch.Status switch
    {
        RecordStatus.Queued or RecordStatus.Running => 0,
        RecordStatus.Failed or RecordStatus.Cancelled => 1,
        _ => 2,
    };

    private static int Size(BranchView branch) => Frame + Size(branch.Role) + Size(branch.Model) + Size(branch.JobId) + Size(branch.Error);

    /// <summary>At most: what JSON escapes takes six characters.</summary>
    private static int Size(string? text) => text?.Sum(letter => char.IsAsciiLetterOrDigit(letter) || letter == ' ' ? 1 : 6) ?? 0;
}

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
