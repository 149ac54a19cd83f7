using System.Text.Json;
using System.Text.Json.Serialization;
using OllamaMax.Edge.Batches;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Jobs;
using OllamaMax.Edge.Security.Usage;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Edge.Tenants;

/// <param name="Jobs">Branches of strategies and lines of batches counted in.</param>
/// <param name="UsageDocuments">Null: usage was not asked to go.</param>
internal sealed record ErasedAnswer(string Tenant, int Jobs, int Strategies, int Batches, int Files, int Responses, int? UsageDocuments);

/// <summary>One line of an export.</summary>
/// <param name="Kind">job, response, strategy, batch, file, file_content, usage, or end.</param>
internal sealed record ExportLine(string Kind)
{
    /// <summary>Of a job or a strategy: as <c>/jobs/{id}</c> shows it, with the answer once it is completed.</summary>
    public JobAnswer? Job { get; init; }

    /// <summary>What was asked: as a worker was given it, or of a strategy as it was submitted; null where it is not kept any more.</summary>
    public JsonElement? Request { get; init; }

    /// <summary>Of a strategy that had a long text.</summary>
    public string? Text { get; init; }

    /// <summary>As it is stored, with the items of the request.</summary>
    public StoredResponse? Response { get; init; }

    public BatchAnswer? Batch { get; init; }

    public FileAnswer? File { get; init; }

    /// <summary>Of a piece: the file that it belongs to, whose pieces follow it in their order.</summary>
    public string? FileId { get; init; }

    /// <summary>A piece of a file, in base64.</summary>
    public byte[]? Content { get; init; }

    public UsageItem? Usage { get; init; }

    /// <summary>Of the end: lines before it.</summary>
    public int? Lines { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ErasedAnswer))]
[JsonSerializable(typeof(ExportLine))]
internal sealed partial class TenantsJson : JsonSerializerContext
{
    /// <summary>The context with text left as it is.</summary>
    public static readonly TenantsJson Relaxed = new(new JsonSerializerOptions
    {
        Encoder = Json.Encoder,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    });
}
