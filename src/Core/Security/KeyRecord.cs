namespace OllamaMax.Security;

/// <summary>A key as it is stored: all but the secret.</summary>
public sealed record KeyRecord
{
    public required string Id { get; init; }

    /// <summary>For people.</summary>
    public required string Name { get; init; }

    public required string Tenant { get; init; }

    public required Role Role { get; init; }

    /// <summary>As <see cref="ModelAllowList"/> takes them; null: all models.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    public UsageLimits Limits { get; init => field = value ?? UsageLimits.None; } = UsageLimits.None;

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Who made it, as the audit log names it.</summary>
    public required string CreatedBy { get; init; }

    /// <summary>Null: never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The newest first; more than one only while a rotation's grace time lasts.</summary>
    public required IReadOnlyList<KeySecret> Secrets { get; init; }

    /// <summary>Whom a request with it is from.</summary>
    public Principal ToPrincipal() => new(Tenant, Name, Roles.PermissionsOf(Role))
    {
        Credential = Id,
        Models = Models is null ? ModelAllowList.All : new(Models),
        Limits = Limits,
    };

    /// <summary>Whether this is the key, and still is.</summary>
    public bool Accepts(ApiKey key, DateTimeOffset now)
    {
        bool accepts = false;
        // All of them, so that the time does not tell which one it was.
        foreach (KeySecret secret in Secrets)
            accepts |= secret.Matches(key) && !(secret.ValidUntil <= now);
        return accepts && !(ExpiresAt <= now);
    }

    /// <summary>With another secret. The ones before stay good for the grace time, or for what is left of an earlier one.</summary>
    public KeyRecord Rotate(ApiKey key, TimeSpan grace, DateTimeOffset now)
    {
        DateTimeOffset until = now + grace;
        return this with
        {
            Secrets =
            [
                KeySecret.Of(key),
                .. Secrets.Select(secret => secret.ValidUntil < until ? secret : secret with { ValidUntil = until }).Where(secret => secret.ValidUntil > now),
            ],
        };
    }
}
