using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Security.Usage;
using OllamaMax.Security;

namespace OllamaMax.Edge.Security.Keys;

/// <summary>Keys that this cluster has given out.</summary>
internal sealed class KeyCheck(KeyCache keys, KeyUse use, CredentialNames names, IOptions<KeyOptions> options, TimeProvider time) : ICredentialCheck
{
    private readonly KeyRecord? _configured = Configured(options.Value, time);

    public bool Takes(string key) => ApiKey.TryParse(key, out _);

    public async ValueTask<Result<Principal>> CheckAsync(string key, CancellationToken cancellationToken)
    {
        if (!ApiKey.TryParse(key, out ApiKey? parsed))
            return AuthenticationMiddleware.KeyUnknown;
        DateTimeOffset now = time.GetUtcNow();
        if (_configured is not null && _configured.Id == parsed.Id)
            return _configured.Accepts(parsed, now) ? Named(_configured.ToPrincipal()) : AuthenticationMiddleware.KeyUnknown;
        // Why not is the same to whoever does not have it: unknown, revoked, expired, or another's id with a secret that was made up.
        if (await keys.FindAsync(parsed.Id, cancellationToken) is not { } known || !known.Stored.Record.Accepts(parsed, now))
            return AuthenticationMiddleware.KeyUnknown;
        use.Note(parsed.Id);
        return Named(known.Principal);
    }

    private Principal Named(Principal key)
    {
        names.Note(key.Tenant, key.Credential!, key.Name);
        return key;
    }

    private static KeyRecord? Configured(KeyOptions options, TimeProvider time) => options.AdminKey is { Length: > 0 } text && ApiKey.TryParse(text, out ApiKey? key)
        ? new()
        {
            Id = key.Id,
            Name = "configured",
            Tenant = "admin",
            Role = Role.Admin,
            CreatedAt = time.GetUtcNow(),
            CreatedBy = "configuration",
            Secrets = [KeySecret.Of(key)],
        }
        : null;
}
