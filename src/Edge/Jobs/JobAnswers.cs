using System.Text.Json;
using System.Text.Json.Serialization;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Jobs.Strategies;
using OllamaMax.Jobs.Records;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs;

/// <summary>A background job as <c>/jobs/{id}</c> shows it: fields may be added, not changed.</summary>
internal sealed record JobAnswer
{
    public required string Id { get; init; }

    /// <summary>queued, running, completed, failed or cancelled.</summary>
    public required string Status { get; init; }

    public required string Model { get; init; }

    public required DateTime CreatedAt { get; init; }

    public DateTime? StartedAt { get; init; }

    public DateTime? EndedAt { get; init; }

    /// <summary>When it fails if it has not ended by then.</summary>
    public required DateTime Deadline { get; init; }

    /// <summary>From then on prompt and output are gone.</summary>
    public DateTime? ContentExpiresAt { get; init; }

    /// <summary>From then on the job is unknown.</summary>
    public DateTime? ExpiresAt { get; init; }

    /// <summary>Attempts issued to workers so far.</summary>
    public required int Attempts { get; init; }

    /// <summary>The worker that runs it now, or ran it last.</summary>
    public string? WorkerId { get; init; }

    /// <summary>Attempts that did not come to the end, and why.</summary>
    public required IReadOnlyList<FailedAttemptAnswer> FailedAttempts { get; init; }

    /// <summary>Failed, and set aside because of what its attempts came to.</summary>
    public required bool Poison { get; init; }

    /// <summary>A client waited for it; such a job is shown only when it was set aside.</summary>
    public required bool Interactive { get; init; }

    /// <summary>What its client saw in <c>x-request-id</c>.</summary>
    public string? RequestId { get; init; }

    /// <summary>Of a branch: the job with a strategy that it belongs to.</summary>
    public string? StrategyJobId { get; init; }

    /// <summary>n, race, map_reduce or ensemble; null: one job for one answer.</summary>
    public string? Strategy { get; init; }

    /// <summary>With a strategy: the jobs that it is made of, so far.</summary>
    public IReadOnlyList<BranchAnswer>? Branches { get; init; }

    /// <summary>With a strategy that has voted.</summary>
    public VoteAnswer? Vote { get; init; }

    /// <summary>What the API's own call would have answered, not streamed; only when completed, and while it is kept.</summary>
    public JsonElement? Result { get; init; }

    public string? Error { get; init; }

    public static JobAnswer Of(JobRecord record) => new()
    {
        Id = record.Id,
        Status = NameOf(record.Status),
        Model = record.ModelName,
        CreatedAt = record.CreatedAt.UtcDateTime,
        StartedAt = record.StartedAt?.UtcDateTime,
        EndedAt = record.EndedAt?.UtcDateTime,
        Deadline = record.Deadline.UtcDateTime,
        ContentExpiresAt = record.HasContent ? record.ContentExpiresAt?.UtcDateTime : null,
        ExpiresAt = record.ExpiresAt?.UtcDateTime,
        Attempts = record.Attempts,
        WorkerId = record.Attempt?.WorkerId,
        FailedAttempts = [.. record.History.Select(FailedAttemptAnswer.Of)],
        Poison = record.IsPoison,
        Interactive = record.IsInteractive,
        RequestId = record.RequestId,
        StrategyJobId = record.StrategyId,
        Error = record.Error?.Message,
    };

    public static string NameOf(RecordStatus status) => JsonNamingPolicy.SnakeCaseLower.ConvertName(status.ToString());
}

/// <param name="Outcome">failed, crashed, lost or handed_back.</param>
/// <param name="Tokens">Tokens of the answer that were there when it ended.</param>
internal sealed record FailedAttemptAnswer(int Attempt, string WorkerId, string Outcome, string Reason, DateTime At, int Tokens)
{
    public static FailedAttemptAnswer Of(FailedAttempt failed) => new(
        failed.Number, failed.WorkerId, JsonNamingPolicy.SnakeCaseLower.ConvertName(failed.Kind.ToString()), failed.Reason, failed.At.UtcDateTime, failed.To);
}

/// <param name="Jobs">The newest first.</param>
/// <param name="HasMore">There are older ones: those before the last of these.</param>
internal sealed record JobsAnswer(IReadOnlyList<JobItemAnswer> Jobs, bool HasMore);

/// <param name="Tenant">Only where all tenants' jobs were asked for.</param>
internal sealed record JobItemAnswer(string Id, string Status, string Model, DateTime CreatedAt, string? Error, string? Tenant)
{
    /// <summary>n, race, map_reduce or ensemble; null: one job for one answer, a branch of another or not.</summary>
    public string? Strategy { get; init; }

    /// <summary>Failed, and set aside because of what its attempts came to.</summary>
    public bool Poison { get; init; }

    /// <summary>Attempts issued to workers so far; none of a job with a strategy.</summary>
    public int? Attempts { get; init; }

    /// <summary>The worker that runs it now, or ran it last.</summary>
    public string? WorkerId { get; init; }

    public DateTime? EndedAt { get; init; }

    public static JobItemAnswer Of(RecordItem item, bool withTenant) =>
        new(item.Id, JobAnswer.NameOf(item.Status), item.ModelName, item.CreatedAt.UtcDateTime, item.Error, withTenant ? item.Tenant : null)
        {
            Poison = item.IsPoison,
            Attempts = item.Attempts,
            WorkerId = item.WorkerId,
            EndedAt = item.EndedAt?.UtcDateTime,
        };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JobAnswer))]
[JsonSerializable(typeof(JobsAnswer))]
[JsonSerializable(typeof(ChoicesAnswer))]
internal sealed partial class JobsJson : JsonSerializerContext
{
    /// <summary>The context with text left as it is.</summary>
    public static readonly JobsJson Relaxed = new(new JsonSerializerOptions
    {
        Encoder = Json.Encoder,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    });
}
