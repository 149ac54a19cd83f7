using OllamaMax.Security;
using OllamaMax.Storage;
using OllamaMax.Storage.Security;

namespace OllamaMax.LocalHost;

/// <summary>Keys that are there before anybody can have asked for one. The local host has the account, so it asks no edge.</summary>
internal sealed class StartKeys(StorageAccount account, TimeProvider time, Action<string> say)
{
    private const string Maker = "local host";

    /// <summary>An interrupted start leaves a key behind: it is not to be good for long.</summary>
    private static readonly TimeSpan ForTheStart = TimeSpan.FromMinutes(10);

    private readonly KeyStore _keys = new(account);

    /// <summary>Makes an admin's key where there is none, and says it, this once.</summary>
    public async Task SayFirstAsync(CancellationToken cancellationToken)
    {
        if ((await _keys.ListAsync(cancellationToken)).Any(key => key.Role == Role.Admin && !(key.ExpiresAt <= time.GetUtcNow())))
            return;
        ApiKey key = await CreateAsync("first", Role.Admin, expiresAt: null, cancellationToken);
        say($"admin key {key.Reveal()}");
    }

    /// <summary>Does something with a user's key that is good for that alone.</summary>
    public async Task WithOneAsync(Func<string, Task> act, CancellationToken cancellationToken)
    {
        ApiKey key = await CreateAsync("start", Role.User, time.GetUtcNow() + ForTheStart, cancellationToken);
        try
        {
            await act(key.Reveal());
        }
        finally
        {
            await _keys.DeleteAsync(key.Id, CancellationToken.None);
        }
    }

    private async Task<ApiKey> CreateAsync(string name, Role role, DateTimeOffset? expiresAt, CancellationToken cancellationToken)
    {
        ApiKey key = ApiKey.Create();
        KeyRecord record = new()
        {
            Id = key.Id,
            Name = name,
            Tenant = "local",
            Role = role,
            CreatedAt = time.GetUtcNow(),
            CreatedBy = Maker,
            ExpiresAt = expiresAt,
            Secrets = [KeySecret.Of(key)],
        };
        await _keys.CreateAsync(record, cancellationToken);
        return key;
    }
}
