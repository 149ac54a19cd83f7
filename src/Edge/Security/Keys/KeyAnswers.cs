using System.Text.Json.Serialization;
using OllamaMax.Security;

namespace OllamaMax.Edge.Security.Keys;

/// <summary>A key as <c>/keys</c> shows it: fields may be added, not changed.</summary>
internal sealed record KeyAnswer
{
    public required string Id { get; init; }

    /// <summary>The key itself: only in the answer that made it.</summary>
    public string? Key { get; init; }

    public required string Name { get; init; }

    /// <summary>admin, operator, user, readonly or worker.</summary>
    public required string Role { get; init; }

    public required string Tenant { get; init; }

    /// <summary>The models that it may use; left out: all.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    public required DateTime CreatedAt { get; init; }

    public required string CreatedBy { get; init; }

    /// <summary>Left out: it does not expire.</summary>
    public DateTime? ExpiresAt { get; init; }

    /// <summary>Within some minutes; left out: never, or not yet known.</summary>
    public DateTime? LastUsedAt { get; init; }

    /// <summary>Until then the secret before the last rotation is good too.</summary>
    public DateTime? OldValidUntil { get; init; }

    public required UsageLimits Limits { get; init; }

    public static KeyAnswer Of(KeyRecord record, DateTimeOffset now) => new()
    {
        Id = record.Id,
        Name = record.Name,
        Role = Roles.NameOf(record.Role),
        Tenant = record.Tenant,
        Models = record.Models,
        CreatedAt = record.CreatedAt.UtcDateTime,
        CreatedBy = record.CreatedBy,
        ExpiresAt = record.ExpiresAt?.UtcDateTime,
        OldValidUntil = record.Secrets.Max(secret => secret.ValidUntil) is { } until && until > now ? until.UtcDateTime : null,
        Limits = record.Limits,
    };
}

internal sealed record KeysAnswer(IReadOnlyList<KeyAnswer> Keys);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(KeyAnswer))]
[JsonSerializable(typeof(KeysAnswer))]
internal sealed partial class KeysJson : JsonSerializerContext;
