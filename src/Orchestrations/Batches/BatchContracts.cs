using OllamaMax.Jobs.Records;

namespace OllamaMax.Orchestrations.Batches;

/// <summary>What a batch's orchestration is started with; its lines stay where the activities find them, by <see cref="Id"/>.</summary>
public sealed record BatchInput
{
    /// <summary>Of the batch, and of the orchestration.</summary>
    public required string Id { get; init; }

    /// <summary>Lines that are under way at a time.</summary>
    public required int MaxParallel { get; init; }

    /// <summary>Jobs that a line gets beyond its first, should that fail.</summary>
    public required int Retries { get; init; }

    /// <summary>Lines that have not ended by then are not run any more.</summary>
    public required DateTimeOffset Deadline { get; init; }
}

/// <param name="Pages">Lines of each page.</param>
/// <param name="Error">Why there is nothing to run.</param>
public sealed record BatchOpened(IReadOnlyList<int> Pages, string? Error = null);

/// <param name="Lines">How many it has.</param>
public sealed record BatchPageInput(string BatchId, int Page, int Lines, int MaxParallel, int Retries);

/// <summary>How a page's lines ended.</summary>
/// <param name="Lines">In their order; those that were never begun are missing at the end.</param>
public sealed record WritePageInput(string BatchId, int Page, IReadOnlyList<LineEnd> Lines);

/// <param name="JobId">The background job that ran it, or was to.</param>
public sealed record LineEnd(string? JobId, RecordStatus Status, string? Error);

public sealed record BatchPageResult(int Completed, int Failed);

/// <param name="Pages">How many were begun: the first ones. All of them have been written, or are to be given up.</param>
/// <param name="OutputId">For the file of answers, should there be any.</param>
/// <param name="ErrorId">For the file of lines without answer, should there be any.</param>
public sealed record CloseBatchInput(string BatchId, int Pages, string OutputId, string ErrorId)
{
    /// <summary>Pages that could not be written: their lines are to be in the file of those without answer.</summary>
    public IReadOnlyList<int> Unwritten { get; init; } = [];
}

/// <param name="OutputId">Null: no line has an answer.</param>
/// <param name="ErrorId">Null: all have.</param>
public sealed record BatchFiles(string? OutputId, string? ErrorId);

/// <summary>An orchestration's custom status, and with the files its output.</summary>
/// <param name="State">In OpenAI's words: validating, in_progress, finalizing, completed, failed, expired, cancelling or cancelled.</param>
public sealed record BatchProgress(string State, int Total, int Completed, int Failed)
{
    public BatchFiles? Files { get; init; }

    public string? Error { get; init; }
}
