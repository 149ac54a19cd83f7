using OllamaMax.Jobs.Records;
using OllamaMax.Security;

namespace OllamaMax.Orchestrations;

/// <summary>Names of the activities; each is run at least once, and one that is run again must come to the same.</summary>
public static class ActivityNames
{
    /// <summary><see cref="SubmitInput"/> to <see cref="SubmitOutcome"/>: takes on the background job of a branch.</summary>
    public const string Submit = "submit_branch";

    /// <summary>A job's id to <see cref="BranchEnd"/>.</summary>
    public const string Look = "look_at_branch";

    /// <summary>Ids of jobs to how many were cancelled.</summary>
    public const string Cancel = "cancel_branches";

    /// <summary>The strategy's id to <see cref="SplitOutcome"/>: cuts its text into parts.</summary>
    public const string Split = "split_text";

    /// <summary><see cref="VoteInput"/> to <see cref="VoteOutcome"/>.</summary>
    public const string Vote = "vote";

    /// <summary>The strategy's id to whether there was anything: what was kept for the branches is deleted.</summary>
    public const string Finish = "finish_strategy";

    /// <summary>A batch's id to <see cref="Batches.BatchOpened"/>: cuts its input into pages.</summary>
    public const string OpenBatch = "open_batch";

    /// <summary>As <see cref="Submit"/>, for a line of a batch.</summary>
    public const string SubmitLine = "submit_line";

    /// <summary><see cref="Batches.WritePageInput"/> to <see cref="Batches.BatchPageResult"/>: writes how a page's lines ended.</summary>
    public const string WritePage = "write_page";

    /// <summary><see cref="Batches.CloseBatchInput"/> to <see cref="Batches.BatchFiles"/>: makes files of the pages.</summary>
    public const string CloseBatch = "close_batch";

    /// <summary><see cref="Pulls.PullInput"/> to <see cref="Pulls.PullSlice"/>: fetches more of a model.</summary>
    public const string PullSlice = "pull_slice";
}

/// <summary>Names of the events that orchestrations wait for.</summary>
public static class EventNames
{
    /// <summary>Its client wants it cancelled.</summary>
    public const string Cancel = "cancel";

    /// <summary>A branch's job has ended, or may have: a hint. The content is the job's id.</summary>
    public static string Ended(string jobId) => $"ended-{jobId}";
}

/// <param name="JobId">Given by the orchestration, so that run twice it is one job.</param>
/// <param name="Choice">Which of several answers to the same request: seeds differ by it.</param>
public sealed record SubmitInput(string StrategyId, string JobId, string Model, int Choice)
{
    /// <summary>Null: the request itself is asked. Otherwise map, reduce or judge: which of the request's prompts, with a text put in.</summary>
    public string? Prompt { get; init; }

    /// <summary>Its strategy's jobs are to run on different workers, where there are some.</summary>
    public bool IsSpread { get; init; }

    /// <summary>With a line of a batch, which <see cref="Choice"/> is the number of: whose; then <see cref="StrategyId"/> is who waits for it.</summary>
    public string? BatchId { get; init; }

    /// <summary>With map: which part of the text; with a line of a batch: which page.</summary>
    public int Part { get; init; }

    /// <summary>With reduce and judge: whose answers are the text.</summary>
    public IReadOnlyList<string> AnswersOf { get; init; } = [];
}

/// <param name="Error">Why there is no such job and will be none; null: there is.</param>
/// <param name="RetryAfter">Set where it can be tried again then: there are too many jobs now.</param>
public sealed record SubmitOutcome(string? Error = null, TimeSpan? RetryAfter = null);

/// <param name="Status">Of the job; null: there is none (any more).</param>
public sealed record BranchEnd(RecordStatus? Status, string? Error = null);

/// <param name="Parts">How many there are.</param>
/// <param name="Error">Why it cannot be cut.</param>
public sealed record SplitOutcome(int Parts, string? Error = null);

public sealed record VoteInput(string StrategyId, IReadOnlyList<string> JobIds);

/// <summary>A majority among structured answers.</summary>
/// <param name="Winner">The first job that answered so; null: none gave a structured answer.</param>
/// <param name="Value">What they agree on, as JSON; null as well where it is <see cref="Sealed"/>.</param>
/// <param name="Votes">How many gave it.</param>
/// <param name="Of">How many answered in all.</param>
public sealed record VoteOutcome(string? Winner, string? Value, int Votes, int Of)
{
    /// <summary>In the place of <see cref="Value"/> where content is encrypted.</summary>
    public SealedContent? Sealed { get; init; }
}
