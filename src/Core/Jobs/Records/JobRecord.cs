using OllamaMax.Security;

namespace OllamaMax.Jobs.Records;

/// <summary>
/// The owner of a background job, as it lies in storage: it decides who tries the job and when it is over. A state machine without
/// clock, chance or I/O: <see cref="Apply"/> answers what it is after a command; whoever calls writes it back under the ETag it was read with.
/// </summary>
public sealed record JobRecord
{
    /// <summary>Failed attempts that are remembered.</summary>
    private const int LongestHistory = 32;

    public int Version { get; init; } = 1;

    public required string Id { get; init; }

    public required string Tenant { get; init; }

    /// <summary>Whose key asked, for what is counted; null: nobody's.</summary>
    public string? Credential { get; init; }

    /// <summary>The limits of <see cref="Credential"/> when it asked; null: none.</summary>
    public UsageLimits? Limits { get; init; }

    /// <summary>What was counted for <see cref="Credential"/> at earlier ends; null: there were none.</summary>
    public UseCount? Counted { get; init; }

    public required RequestShape Shape { get; init; }

    /// <summary>The model's name as the client wrote it; answers repeat it.</summary>
    public required string ModelName { get; init; }

    /// <summary>The model's own name, where <see cref="ModelName"/> may be an alias or spelt in another way; null in records of an older version.</summary>
    public string? AnsweredBy { get; init; }

    /// <summary>Digest of the weights: whose queue the job waits in.</summary>
    public required string Model { get; init; }

    public RecordStatus Status { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its last queue message was put, was to be put, or was found not to be missing.</summary>
    public required DateTimeOffset QueuedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>After this it fails, whatever its state.</summary>
    public required DateTimeOffset Deadline { get; init; }

    /// <summary>What to run; null when it is no longer kept.</summary>
    public Job? Job { get; init; }

    /// <summary>With <see cref="RequestShape.Response"/>: what its client finds again beside the answer; kept as long as <see cref="Job"/>.</summary>
    public StoredResponse? Response { get; init; }

    /// <summary>Id of the content key that <see cref="Job"/>, <see cref="Response"/> and the output are under in storage; null: they lie there as they are.</summary>
    public string? SealedWith { get; init; }

    /// <summary>In storage, with <see cref="SealedWith"/>: what stands for <see cref="Job"/> and <see cref="Response"/> (<see cref="JobContent"/>). Here only where that key is missing.</summary>
    public byte[]? Sealed { get; init; }

    /// <summary>Name of the <see cref="KeyedSubmission"/> that it came of; null: of none.</summary>
    public string? Submission { get; init; }

    /// <summary>The job with a strategy that this one is a branch of; null: of none.</summary>
    public string? StrategyId { get; init; }

    /// <summary>Jobs of one <see cref="StrategyId"/> are to run on different workers, where there are some: see who grants claims.</summary>
    public bool IsSpread { get; init; }

    /// <summary>With <see cref="RequestShape.OpenAIEmbedding"/>: how its vectors are answered; null: it is no embedding job.</summary>
    public EmbeddingForm? Embedding { get; init; }

    /// <summary>There may be an output blob.</summary>
    public bool HasOutput { get; init; }

    /// <summary>Who runs it now.</summary>
    public Attempt? Attempt { get; init; }

    /// <summary>The claim that <see cref="Attempt"/> was granted to.</summary>
    public string? ClaimId { get; init; }

    /// <summary>The queue message that <see cref="Attempt"/>'s worker holds.</summary>
    public string? MessageId { get; init; }

    /// <summary>Attempts issued so far.</summary>
    public int Attempts { get; init; }

    /// <summary>Attempts up to this number no longer count: an operator has queued the job again.</summary>
    public int Forgiven { get; init; }

    /// <summary>Attempts that did not come to the end, the oldest first.</summary>
    public IReadOnlyList<FailedAttempt> History { get; init; } = [];

    /// <summary>Failed, and set aside because of what its attempts came to (<see cref="PoisonRule"/>).</summary>
    public bool IsPoison { get; init; }

    /// <summary>It was an edge's own, for a client that waited; only such that were set aside have a record.</summary>
    public bool IsInteractive { get; init; }

    /// <summary>What its client saw in <c>x-request-id</c>; null in records of an older version.</summary>
    public string? RequestId { get; init; }

    public FinishReason? Reason { get; init; }

    public JobStatistics? Statistics { get; init; }

    public JobError? Error { get; init; }

    /// <summary>Somebody has subscribed to what is added to the output.</summary>
    public bool IsSubscribed { get; init; }

    /// <summary>Until then somebody reads the output.</summary>
    public DateTimeOffset? WatchedUntil { get; init; }

    /// <summary>From then on prompt and output are not kept; set at the end.</summary>
    public DateTimeOffset? ContentExpiresAt { get; init; }

    /// <summary>From then on nothing is kept; set at the end.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    public bool IsEnded => Status is RecordStatus.Completed or RecordStatus.Failed or RecordStatus.Cancelled;

    /// <summary>Its answer has begun and nobody can go on with it: another attempt would have to begin anew, behind what readers have.</summary>
    public bool IsBroken { get; init; }

    /// <summary>Prompt or output are still there.</summary>
    public bool HasContent => Job is not null || Sealed is not null || HasOutput;

    /// <summary>This, for whoever needs <see cref="Job"/> or <see cref="Response"/>: null in them means then that they are not kept.</summary>
    /// <exception cref="ContentKeyException">They are kept, and cannot be read here.</exception>
    public JobRecord Readable() => Sealed is not null && SealedWith is { } key ? throw new ContentKeyException(key) : this;

    public static JobRecord Create(Job job, RequestShape shape, string modelName, DateTimeOffset at) => new()
    {
        Id = job.Id,
        Tenant = job.Tenant,
        Credential = job.Credential,
        Limits = job.Limits,
        Shape = shape,
        ModelName = modelName,
        AnsweredBy = job.AnsweredBy,
        Model = job.Model,
        CreatedAt = at,
        QueuedAt = at,
        Deadline = at + job.Deadline,
        Job = job,
        RequestId = job.RequestId,
    };

    /// <summary>
    /// Of an interactive job that its edge has given up: for operators, who may queue it again as a background job if its prompt is kept.
    /// </summary>
    /// <param name="createdAt">When its edge took it on.</param>
    /// <param name="promptKept">How long the prompt is kept; zero: not at all. Never kept of what no background job can be: an embedding, or a load.</param>
    /// <param name="kept">How long the rest is kept.</param>
    public static JobRecord SetAside(
        Job job, IReadOnlyList<FailedAttempt> history, JobError error, DateTimeOffset createdAt, DateTimeOffset at, TimeSpan promptKept, TimeSpan kept) => new()
    {
        Id = job.Id,
        Tenant = job.Tenant,
        Shape = job.Shape ?? RequestShape.Generate,
        ModelName = job.ModelName ?? job.Model,
        Model = job.Model,
        Status = RecordStatus.Failed,
        CreatedAt = createdAt,
        QueuedAt = createdAt,
        StartedAt = createdAt,
        EndedAt = at,
        Deadline = createdAt + job.Deadline,
        Job = promptKept > TimeSpan.Zero && job.Shape is not null ? job with { Band = Band.Batch } : null,
        RequestId = job.RequestId,
        IsPoison = true,
        IsInteractive = true,
        Attempts = history.Count > 0 ? history[^1].Number : 0,
        History = [.. history.TakeLast(LongestHistory)],
        Error = error,
        ContentExpiresAt = at + promptKept,
        ExpiresAt = at + (kept > promptKept ? kept : promptKept),
    };

    /// <summary>When somebody should look at it who has no other reason to.</summary>
    public DateTimeOffset DueAt(RecordPolicy policy)
    {
        if (!IsEnded)
            return Min(Deadline, (Status == RecordStatus.Queued ? QueuedAt : StartedAt ?? QueuedAt) + policy.QueueAgain);
        return HasContent ? Max(ContentExpiresAt!.Value, WatchedUntil ?? DateTimeOffset.MinValue) : ExpiresAt!.Value;
    }

    /// <summary>The record after the command; the same instance where it changes nothing.</summary>
    public JobRecord Apply(RecordCommand command, RecordPolicy policy) => command switch
    {
        RecordCommand.Claim claim => Claim(claim, policy),
        RecordCommand.Settle settle => Settle(settle.Output, settle.At, policy),
        RecordCommand.Cancel { At: var at } when !IsEnded =>
            End(RecordStatus.Cancelled, at, policy) with { Error = new JobError(JobErrorKind.Cancelled, "the job was cancelled") },
        RecordCommand.Requeue requeue when Status == RecordStatus.Failed && Job is not null && !IsBroken => Requeue(requeue),
        RecordCommand.Queued { At: var at } when Status == RecordStatus.Queued => this with { QueuedAt = at },
        RecordCommand.Watch { Until: var until } when HasContent => this with { WatchedUntil = until },
        RecordCommand.Subscribe when !IsEnded && !IsSubscribed => this with { IsSubscribed = true },
        RecordCommand.Strip when IsEnded && HasContent => this with { Job = null, Response = null, Sealed = null, HasOutput = false },
        _ => this,
    };

    private JobRecord Claim(RecordCommand.Claim claim, RecordPolicy policy)
    {
        JobRecord now = Settle(claim.Output, claim.At, policy);
        // The answer to this very claim may have been lost, or the worker wants fresh signatures.
        if (now.IsEnded || now.ClaimId == claim.ClaimId)
            return now;
        // A worker that stood still, and comes to renew what it has lost. The message that it names is another's by now, or nobody's.
        if (now.History.Any(past => past.ClaimId == claim.ClaimId))
            return now;
        if (now.Status == RecordStatus.Running)
        {
            // Storage may put a message twice. Only the one that the attempt holds says, by being seen again, that the attempt is lost.
            if (now.MessageId != claim.MessageId)
                return now;
            now = now.Release(AttemptFailure.Lost, $"worker {now.Attempt!.WorkerId} fell silent", claim.Output, claim.At, policy);
            if (now.IsEnded)
                return now;
        }
        return now with
        {
            Status = RecordStatus.Running,
            Attempts = now.Attempts + 1,
            Attempt = new Attempt(now.Attempts + 1, claim.WorkerId, claim.Nonce),
            ClaimId = claim.ClaimId,
            MessageId = claim.MessageId,
            StartedAt = now.StartedAt ?? claim.At,
            HasOutput = true,
        };
    }

    private JobRecord Settle(OutputFacts output, DateTimeOffset at, RecordPolicy policy)
    {
        if (IsEnded)
            return this;
        // An answer is one whoever wrote it. An older attempt that failed was taken for lost already.
        if (output.End is { IsAnswer: true } answer)
            return Complete(answer, output, at, policy);
        AttemptEnd? end = Status == RecordStatus.Running && output.Attempt == Attempt!.Number ? output.End : null;
        return end?.Reason switch
        {
            EndReason.Invalid => Fail(JobErrorKind.Invalid, end.Error ?? "the request cannot be run", at, policy),
            _ when at >= Deadline => Fail(JobErrorKind.DeadlineExceeded, $"no answer until the deadline, {Deadline:O}", at, policy),
            null => this,
            EndReason.HandedBack => Release(AttemptFailure.HandedBack, $"worker {Attempt!.WorkerId} left", output, at, policy),
            _ => Release(end.Crashed ? AttemptFailure.Crashed : AttemptFailure.Failed, end.Error ?? "the worker ended it", output, at, policy),
        };
    }

    private JobRecord Complete(AttemptEnd end, OutputFacts output, DateTimeOffset at, RecordPolicy policy)
    {
        // Found late, it has ended all the same when its last line was written.
        AttemptStart? start = end.Start ?? output.Start;
        DateTimeOffset endedAt = output.WrittenAt is { } written ? Max(StartedAt ?? CreatedAt, Min(written, at)) : at;
        return End(RecordStatus.Completed, endedAt, policy) with
        {
            Reason = end.Finish,
            Statistics = new JobStatistics
            {
                TotalDuration = endedAt - CreatedAt,
                LoadDuration = start?.LoadDuration ?? default,
                PromptTokens = start?.PromptTokens ?? 0,
                CachedTokens = start?.CachedTokens ?? 0,
                PromptDuration = start?.PromptDuration ?? default,
                // What an embedding job puts out are vectors.
                Tokens = Embedding is null ? end.Tokens ?? output.Tokens : 0,
                EvalDuration = output.EvalBefore + end.EvalDuration,
                DraftedTokens = end.DraftedTokens,
                AcceptedTokens = end.AcceptedTokens,
                Attempts = Attempts,
            },
        };
    }

    /// <summary>The current attempt is over, and the job is not: another one is to go on, unless there were too many.</summary>
    private JobRecord Release(AttemptFailure kind, string reason, OutputFacts output, DateTimeOffset at, RecordPolicy policy)
    {
        // An attempt that never began to write has left the tokens as they were.
        bool began = output.Attempt == Attempt!.Number;
        int from = began ? output.From : output.Tokens;
        var failed = new FailedAttempt(Attempt.Number, Attempt.WorkerId, kind, reason, at, from, output.Tokens) { ClaimId = ClaimId, NeverBegan = !began };
        JobRecord released = this with
        {
            Status = RecordStatus.Queued,
            QueuedAt = at,
            Attempt = null,
            ClaimId = null,
            MessageId = null,
            History = [.. History.TakeLast(LongestHistory - 1), failed],
        };
        if (output is { IsContinuable: false, Tokens: > 0 })
            return released.Fail(JobErrorKind.Failed, JobError.Broken(reason).Message, at, policy) with { IsBroken = true };
        return policy.Poison.Applies(released.History.Where(past => past.Number > Forgiven))
            ? released.Fail(JobErrorKind.Failed, $"set aside after {Attempts} attempts; the last: {reason}", at, policy) with { IsPoison = true }
            : released;
    }

    private JobRecord Requeue(RecordCommand.Requeue requeue) => this with
    {
        Status = RecordStatus.Queued,
        QueuedAt = requeue.At,
        Deadline = requeue.At + requeue.Deadline,
        Counted = requeue.Counted,
        Forgiven = Attempts,
        IsPoison = false,
        EndedAt = null,
        Error = null,
        ContentExpiresAt = null,
        ExpiresAt = null,
    };

    private JobRecord Fail(JobErrorKind kind, string message, DateTimeOffset at, RecordPolicy policy) =>
        End(RecordStatus.Failed, at, policy) with { Error = new JobError(kind, message) };

    private JobRecord End(RecordStatus status, DateTimeOffset at, RecordPolicy policy) => this with
    {
        Status = status,
        EndedAt = at,
        Job = policy.Retention > TimeSpan.Zero ? Job : null,
        Response = policy.Retention > TimeSpan.Zero ? Response : null,
        Sealed = policy.Retention > TimeSpan.Zero ? Sealed : null,
        // Where there is no answer, the end is written there as a fence.
        HasOutput = true,
        ContentExpiresAt = at + policy.Retention,
        ExpiresAt = at + (policy.Retention > policy.FiguresKept ? policy.Retention : policy.FiguresKept),
    };

    private static DateTimeOffset Min(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    private static DateTimeOffset Max(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
