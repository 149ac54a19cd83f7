using System.Globalization;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Security;
using OllamaMax.Storage.Security;

namespace OllamaMax.Edge.Security.Audit;

/// <summary><c>GET /audit?from&amp;to&amp;actor&amp;limit&amp;newest</c>: the audit log.</summary>
internal sealed class AuditEndpoints(AuditLog log, AuditBlobs blobs, TimeProvider time) : IEndpointGroup
{
    private const int DefaultLimit = 1000;
    private const int MostListed = 10_000;
    private const int MostDays = 366;

    private static readonly (string, string)[] Listing =
    [
        ("from", "Not before: a time such as 2030-01-31T12:00:00Z; a day ago."), ("to", "Before; now."),
        ("actor", "Only acts of who has this name or credential."), ("limit", $"At most so many: {DefaultLimit}, up to {MostListed}."),
        ("newest", "true: the newest, and the newest first; otherwise the oldest."),
    ];

    public void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/audit", ListAsync).WithMetadata(new RequiredPermission(Permissions.ManageKeys))
            .Describe(new(EndpointDescription.Own, "Administrative acts and denied calls, the oldest first unless the newest are asked for.") { Query = Listing, AnswerType = AuditJson.Default.AuditAnswer });

    private async Task ListAsync(HttpContext context)
    {
        IQueryCollection query = context.Request.Query;
        QueryFields fields = new(context);
        int limit = fields.Limit(DefaultLimit, MostListed);
        bool isNewest = fields.Flag("newest");
        if (fields.Error is { } error)
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        DateTimeOffset now = time.GetUtcNow();
        if (!TryTime(query["from"], now - TimeSpan.FromDays(1), out DateTimeOffset from) || !TryTime(query["to"], DateTimeOffset.MaxValue, out DateTimeOffset to))
        {
            await ErrorAnswer.WriteAsync(context, ApiError.BadRequest("from and to must be times such as 2030-01-31T12:00:00Z"));
            return;
        }
        if (from > now)
            from = now;
        DateOnly last = DateOnly.FromDateTime((to < now ? to : now).UtcDateTime);
        if (DateOnly.FromDateTime(from.UtcDateTime).AddDays(MostDays) < last)
        {
            await ErrorAnswer.WriteAsync(context, ApiError.BadRequest($"from and to must not be more than {MostDays} days apart"));
            return;
        }
        string actor = query["actor"].ToString();
        await log.FlushAsync();
        List<AuditRecord> records = [];
        DateOnly first = DateOnly.FromDateTime(from.UtcDateTime);
        // What was appended a moment after midnight lies on the day after its own.
        int days = last.DayNumber - first.DayNumber + 2;
        for (int read = 0; read < days && records.Count < limit; read++)
        {
            IAsyncEnumerable<AuditRecord> found = blobs.ReadAsync(first.AddDays(isNewest ? days - 1 - read : read), context.RequestAborted)
                .Where(record => record.At >= from && record.At < to && (actor.Length == 0 || record.Actor == actor || record.ActorName == actor || record.Credential == actor));
            int left = limit - records.Count;
            records.AddRange(await (isNewest ? found.TakeLast(left).Reverse() : found.Take(left)).ToListAsync(context.RequestAborted));
        }
        await JsonAnswer.WriteAsync(context, new AuditAnswer(records), AuditJson.Default.AuditAnswer);
    }

    private static bool TryTime(string? text, DateTimeOffset otherwise, out DateTimeOffset at)
    {
        at = otherwise;
        return string.IsNullOrEmpty(text) || DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out at);
    }
}

internal sealed record AuditAnswer(IReadOnlyList<AuditRecord> Records);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AuditAnswer))]
internal sealed partial class AuditJson : JsonSerializerContext;
