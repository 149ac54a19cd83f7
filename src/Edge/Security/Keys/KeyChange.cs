using OllamaMax.Edge.Http;
using OllamaMax.Security;

namespace OllamaMax.Edge.Security.Keys;

/// <summary>
/// The body of <c>PATCH /keys/{id}</c>, a JSON Merge Patch (RFC 7396): what is left out stays as it is, null takes away (all models, no expiry, no limit). A key's role and tenant are what it is, and do not change.
/// </summary>
internal sealed class KeyChange
{
    private readonly HashSet<string> _names;
    private readonly HashSet<string> _limits;
    private readonly string? _name;
    private readonly IReadOnlyList<string>? _models;
    private readonly DateTimeOffset? _expiresAt;
    private readonly UsageLimits? _given;

    private KeyChange(JsonFields fields, DateTimeOffset now)
    {
        _names = [.. fields.Names()];
        foreach (string fixedField in (ReadOnlySpan<string>)["role", "tenant"])
        {
            if (_names.Contains(fixedField))
                fields.Errors.Add(fixedField, "cannot be changed; make another key");
        }
        // As of a new key: one that is mistyped would leave it as it is.
        fields.Only("name", "models", "expires_at", "limits");
        _name = _names.Contains("name") ? KeyRequest.ReadName(fields) : null;
        _models = KeyRequest.ReadModels(fields);
        _expiresAt = KeyRequest.ReadExpiry(fields, now);
        _limits = [];
        if (fields.Object("limits") is { } limits)
            (_limits, _given) = ([.. limits.Names()], KeyRequest.ReadLimits(limits));
    }

    public static Result<KeyChange> Read(JsonFields fields, DateTimeOffset now)
    {
        KeyChange change = new(fields, now);
        return fields.Errors.First is { } error ? error : change;
    }

    /// <summary>The key as it is to be, or why it cannot be.</summary>
    public Result<KeyRecord> Over(KeyRecord key)
    {
        if (_models is not null && KeyRequest.ModelsError(key.Role) is { } error)
            return error;
        return key with
        {
            Name = _name ?? key.Name,
            Models = _names.Contains("models") ? _models : key.Models,
            ExpiresAt = _names.Contains("expires_at") ? _expiresAt : key.ExpiresAt,
            Limits = _given is { } given ? Over(given, key.Limits) : _names.Contains("limits") ? UsageLimits.None : key.Limits,
        };
    }

    private UsageLimits Over(UsageLimits given, UsageLimits limits) => new()
    {
        RequestsPerMinute = _limits.Contains("requests_per_minute") ? given.RequestsPerMinute : limits.RequestsPerMinute,
        TokensPerMinute = _limits.Contains("tokens_per_minute") ? given.TokensPerMinute : limits.TokensPerMinute,
        TokensPerDay = _limits.Contains("tokens_per_day") ? given.TokensPerDay : limits.TokensPerDay,
        TokensPerMonth = _limits.Contains("tokens_per_month") ? given.TokensPerMonth : limits.TokensPerMonth,
        Concurrent = _limits.Contains("concurrent") ? given.Concurrent : limits.Concurrent,
    };
}
