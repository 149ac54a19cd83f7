using Microsoft.DurableTask;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Orchestrations;

/// <summary>The strategies by the names that clients write, which are those of their orchestrators.</summary>
public static class Strategies
{
    public const string Choices = "n";
    public const string Race = "race";
    public const string MapReduce = "map_reduce";
    public const string Ensemble = "ensemble";

    public static IReadOnlyDictionary<string, Func<ITaskOrchestrator>> All { get; } = new Dictionary<string, Func<ITaskOrchestrator>>
    {
        [Choices] = () => new ChoicesOrchestrator(),
        [Race] = () => new RaceOrchestrator(),
        [MapReduce] = () => new MapReduceOrchestrator(),
        [Ensemble] = () => new EnsembleOrchestrator(),
    };
}

/// <summary>Several answers to one request, at the same time. Those that fail are reported; one that succeeds makes it a success.</summary>
public sealed class ChoicesOrchestrator : StrategyOrchestrator
{
    private protected override async Task<StrategyResult> WorkAsync(TaskOrchestrationContext context, StrategyInput input, BranchRuns runs)
    {
        SubmitInput[] requests = [.. input.Models.Select((model, choice) => new SubmitInput(input.Id, "", model, choice) { IsSpread = true })];
        IReadOnlyList<BranchView> ended = await runs.RunAllAsync("choice", requests);
        BranchView[] answers = [.. ended.Where(branch => branch.Status == RecordStatus.Completed)];
        return answers.Length > 0 ? StrategyResult.Completed(answers) : StrategyResult.Failed(Summary(ended));
    }
}

/// <summary>The first whole answer wins; the others are cancelled.</summary>
public sealed class RaceOrchestrator : StrategyOrchestrator
{
    private protected override async Task<StrategyResult> WorkAsync(TaskOrchestrationContext context, StrategyInput input, BranchRuns runs)
    {
        List<Task<BranchView>> open = [.. input.Models.Select((model, choice) => runs.RunAsync("choice", new SubmitInput(input.Id, "", model, choice) { IsSpread = true }))];
        while (open.Count > 0)
        {
            Task<BranchView> ended = await Task.WhenAny(open);
            open.Remove(ended);
            BranchView branch = await ended;
            if (branch.Status == RecordStatus.Completed)
                return StrategyResult.Completed([branch]);
        }
        return StrategyResult.Failed(Summary(runs.Branches));
    }
}

/// <summary>
/// A text longer than any context: each of its parts is asked about (map), then the answers, some at a time, are made into one, and so on as a tree (reduce). A part without
/// answer fails the whole: a summary that silently lacks a chapter helps nobody.
/// </summary>
public sealed class MapReduceOrchestrator : StrategyOrchestrator
{
    private protected override async Task<StrategyResult> WorkAsync(TaskOrchestrationContext context, StrategyInput input, BranchRuns runs)
    {
        SplitOutcome split = await context.CallActivityAsync<SplitOutcome>(ActivityNames.Split, input.Id, BranchRuns.Patient);
        if (split.Error is { } error)
            return StrategyResult.Failed(error);
        string model = input.Models[0];
        IReadOnlyList<BranchView> level = await runs.RunAllAsync(
            "map", [.. Enumerable.Range(0, split.Parts).Select(part => new SubmitInput(input.Id, "", model, 0) { Prompt = "map", Part = part })]);
        do
        {
            if (level.Any(branch => branch.Status != RecordStatus.Completed))
                return StrategyResult.Failed(Summary(level));
            level = await runs.RunAllAsync(
                "reduce",
                [.. level.Chunk(input.FanIn).Select(group => new SubmitInput(input.Id, "", model, 0) { Prompt = "reduce", AnswersOf = [.. group.Select(branch => branch.JobId!)] })]);
        }
        while (level.Count > 1);
        return level[0].Status == RecordStatus.Completed ? StrategyResult.Completed(level) : StrategyResult.Failed(Summary(level));
    }
}

/// <summary>Several models answer; then another one judges, or the answers vote. Those that fail are reported, the others decide.</summary>
public sealed class EnsembleOrchestrator : StrategyOrchestrator
{
    private protected override async Task<StrategyResult> WorkAsync(TaskOrchestrationContext context, StrategyInput input, BranchRuns runs)
    {
        IReadOnlyList<BranchView> candidates = await runs.RunAllAsync(
            "candidate", [.. input.Models.Select((model, choice) => new SubmitInput(input.Id, "", model, choice))]);
        string[] answers = [.. candidates.Where(branch => branch.Status == RecordStatus.Completed).Select(branch => branch.JobId!)];
        if (answers.Length == 0)
            return StrategyResult.Failed(Summary(candidates));
        if (input.JudgeModel is { } judge)
        {
            BranchView judged = await runs.RunAsync("judge", new SubmitInput(input.Id, "", judge, 0) { Prompt = "judge", AnswersOf = answers });
            return judged.Status == RecordStatus.Completed ? StrategyResult.Completed([judged]) : StrategyResult.Failed($"the judge has no answer: {judged.Error}");
        }
        VoteOutcome vote = await context.CallActivityAsync<VoteOutcome>(ActivityNames.Vote, new VoteInput(input.Id, answers), BranchRuns.Patient);
        return vote.Winner is { } winner
            ? new StrategyResult(RecordStatus.Completed, [winner]) { Vote = vote }
            : StrategyResult.Failed("none of the answers has what the vote is about") with { Vote = vote };
    }
}
