using System.Text.Json;
using OllamaMax.Orchestrations;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>A branch of a job with a strategy, as <c>/jobs/{id}</c> shows it; <c>/jobs/{job_id}</c> and its stream tell more.</summary>
/// <param name="Role">choice, map, reduce, candidate or judge.</param>
/// <param name="Status">queued, running, completed, failed or cancelled.</param>
/// <param name="JobId">The background job that runs it, or ran it last.</param>
/// <param name="Jobs">Jobs so far; each has attempts of its own.</param>
internal sealed record BranchAnswer(int Index, string Role, string Model, string Status, string? JobId, int Jobs, string? Error)
{
    public static BranchAnswer Of(BranchView branch) =>
        new(branch.Index, branch.Role, branch.Model, JobAnswer.NameOf(branch.Status), branch.JobId, branch.Jobs, branch.Error);
}

/// <summary>What structured answers agreed on.</summary>
/// <param name="Votes">How many gave it.</param>
/// <param name="Answers">How many answered in all.</param>
internal sealed record VoteAnswer(JsonElement? Value, int Votes, int Answers)
{
    public static VoteAnswer From(VoteOutcome vote) => new(vote.Value is { } value ? JsonElement.Parse(value) : null, vote.Votes, vote.Of);
}

/// <summary>The result of the strategy <c>n</c>.</summary>
internal sealed record ChoicesAnswer(IReadOnlyList<ChoiceAnswer> Choices);

/// <param name="Result">As of any job; null where it is not kept any more.</param>
internal sealed record ChoiceAnswer(string JobId, JsonElement? Result);
