using System.Text.Json;
using System.Text.Json.Serialization;
using OllamaMax.Edge.Http;
using OllamaMax.Jobs.Records;
using OllamaMax.Orchestrations.Batches;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Batches;

/// <summary>A file (https://platform.openai.com/docs/api-reference/files/object). Times are Unix seconds.</summary>
internal sealed record FileAnswer(string Id, long Bytes, long CreatedAt, string Filename, string Purpose)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "file";

    /// <summary>Said by OpenAI to be obsolete; clients look for it all the same.</summary>
    public string Status { get; } = "processed";

    public static FileAnswer Of(StoredFile file) =>
        new(FileId.Of(file.Id), file.Bytes, file.CreatedAt.ToUnixTimeSeconds(), file.Name, file.Purpose);
}

internal sealed record FilesAnswer(IReadOnlyList<FileAnswer> Data, string? FirstId, string? LastId, bool HasMore)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "list";
}

internal sealed record FileDeletedAnswer(string Id, bool Deleted)
{
    public string Object { get; } = "file";
}

internal sealed record BatchCountsAnswer(int Total, int Completed, int Failed);

internal sealed record BatchErrorAnswer(string Code, string Message);

internal sealed record BatchErrorsAnswer(IReadOnlyList<BatchErrorAnswer> Data)
{
    public string Object { get; } = "list";
}

/// <summary>A batch (https://platform.openai.com/docs/api-reference/batch/object). Times are Unix seconds.</summary>
internal sealed record BatchAnswer
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "batch";

    public required string Id { get; init; }

    public required string Endpoint { get; init; }

    public BatchErrorsAnswer? Errors { get; init; }

    public required string InputFileId { get; init; }

    public string CompletionWindow { get; } = "24h";

    public required string Status { get; init; }

    public string? OutputFileId { get; init; }

    public string? ErrorFileId { get; init; }

    public required long CreatedAt { get; init; }

    public long? InProgressAt { get; init; }

    public required long ExpiresAt { get; init; }

    public long? FinalizingAt { get; init; }

    public long? CompletedAt { get; init; }

    public long? FailedAt { get; init; }

    public long? ExpiredAt { get; init; }

    public long? CancellingAt { get; init; }

    public long? CancelledAt { get; init; }

    public required BatchCountsAnswer RequestCounts { get; init; }

    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <param name="at">When it came into that state; when it was in those before is not remembered.</param>
    public static BatchAnswer Of(BatchRecord record, BatchProgress progress, DateTimeOffset at)
    {
        return new()
        {
            Id = BatchId.Of(record.Id),
            Endpoint = record.Endpoint,
            Errors = progress.Error is { } error ? new([new("invalid_input", error)]) : null,
            InputFileId = FileId.Of(record.InputFileId),
            Status = progress.State,
            OutputFileId = progress.Files?.OutputId is { } output ? FileId.Of(output) : null,
            ErrorFileId = progress.Files?.ErrorId is { } errors ? FileId.Of(errors) : null,
            CreatedAt = record.CreatedAt.ToUnixTimeSeconds(),
            InProgressAt = progress.State == "validating" ? null : record.CreatedAt.ToUnixTimeSeconds(),
            ExpiresAt = record.Deadline.ToUnixTimeSeconds(),
            FinalizingAt = AtIf("finalizing"),
            CompletedAt = AtIf("completed"),
            FailedAt = AtIf("failed"),
            ExpiredAt = AtIf("expired"),
            CancellingAt = AtIf("cancelling"),
            CancelledAt = AtIf("cancelled"),
            RequestCounts = new(progress.Total, progress.Completed, progress.Failed),
            Metadata = record.Metadata,
        };

        long? AtIf(string state) => progress.State == state ? at.ToUnixTimeSeconds() : null;
    }
}

internal sealed record BatchesAnswer(IReadOnlyList<BatchAnswer> Data, string? FirstId, string? LastId, bool HasMore)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "list";
}

/// <summary>A batch's id as clients see it.</summary>
internal static class BatchId
{
    private const string Prefix = "batch_";

    public static string Of(string id) => Prefix + id;

    /// <summary>Empty where it is none.</summary>
    public static string Read(string text) => text.StartsWith(Prefix, StringComparison.Ordinal) ? text[Prefix.Length..] : "";
}

/// <summary>A file's id as clients see it.</summary>
internal static class FileId
{
    private const string Prefix = "file-";

    public static string Of(string id) => Prefix + id;

    /// <summary>Empty where it is none.</summary>
    public static string Read(string text) => text.StartsWith(Prefix, StringComparison.Ordinal) ? text[Prefix.Length..] : "";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(FileAnswer))]
[JsonSerializable(typeof(FilesAnswer))]
[JsonSerializable(typeof(FileDeletedAnswer))]
[JsonSerializable(typeof(BatchesAnswer))]
internal sealed partial class BatchesJson : JsonSerializerContext
{
    /// <summary>The context with text left as it is.</summary>
    public static readonly BatchesJson Relaxed = new(new JsonSerializerOptions
    {
        Encoder = Json.Encoder,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    });
}
