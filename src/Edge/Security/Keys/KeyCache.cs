using System.Collections.Concurrent;
using Azure;
using Microsoft.Extensions.Logging;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Security;
using OllamaMax.Storage.Security;

namespace OllamaMax.Edge.Security.Keys;

/// <summary>
/// Keys as this edge knows them. What it knows is used for less than 5 s from the moment storage was asked: so long a revoked key may still be let in. A key that is
/// in use is asked for again before that, beside its requests; a read that finds it unchanged transfers nothing.
/// </summary>
internal sealed partial class KeyCache(KeyStore store, StoragePatience storage, TimeProvider time, ILogger<KeyCache> logger)
{
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan UsableFor = TimeSpan.FromSeconds(4.5);

    /// <summary>Ids that nobody has given out come from whoever likes to try: they must not fill the memory.</summary>
    private const int MostKept = 10_000;

    private readonly ConcurrentDictionary<string, Known> _known = [];
    private readonly ConcurrentDictionary<string, Lazy<Task<Known>>> _asking = [];

    /// <summary>Null where there is no such key.</summary>
    /// <exception cref="RequestFailedException">Storage cannot be reached, and what is known is too old.</exception>
    public async ValueTask<KnownKey?> FindAsync(string id, CancellationToken cancellationToken)
    {
        if (_known.TryGetValue(id, out Known? known))
        {
            TimeSpan age = time.GetElapsedTime(known.AskedAt);
            if (age < AskAgainAfter)
                return known.Key;
            // One that was not there may have been made since: it is not to wait longer than it must.
            if (age < UsableFor && known.Key is not null)
            {
                _ = AskBesideAsync(id);
                return known.Key;
            }
        }
        return (await AskAsync(id).WaitAsync(cancellationToken)).Key;
    }

    /// <summary>Has the next one who comes with it asked for anew: it was changed here.</summary>
    public void Forget(string id) => _known.TryRemove(id, out _);

    /// <summary>One question at a time for each key, however many wait for the answer.</summary>
    private Task<Known> AskAsync(string id) => _asking.GetOrAdd(id, static (id, cache) => new(() => cache.AskStorageAsync(id)), this).Value;

    private async Task AskBesideAsync(string id)
    {
        try
        {
            await AskAsync(id);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException or InvalidDataException)
        {
            LogNotRefreshed(e, id);
        }
    }

    private async Task<Known> AskStorageAsync(string id)
    {
        long askedAt = time.GetTimestamp();
        try
        {
            KnownKey? before = _known.TryGetValue(id, out Known? known) ? known.Key : null;
            StoredKey? stored = await storage.WaitAsync(token => store.FindAsync(id, before?.Stored, token), CancellationToken.None);
            KnownKey? key = stored is null ? null : ReferenceEquals(stored, before?.Stored) ? before : new(stored, stored.Record.ToPrincipal());
            if (_known.Count >= MostKept)
                Trim();
            return _known[id] = new(key, askedAt);
        }
        finally
        {
            _asking.TryRemove(id, out _);
        }
    }

    private void Trim()
    {
        foreach (var (id, known) in _known)
        {
            if (known.Key is null || time.GetElapsedTime(known.AskedAt) >= UsableFor)
                _known.TryRemove(id, out _);
        }
    }

    private sealed record Known(KnownKey? Key, long AskedAt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Key {Id} could not be looked up again; what is known of it is used a few seconds more")]
    private partial void LogNotRefreshed(Exception exception, string id);
}

/// <param name="Principal">Whom requests with it are from.</param>
internal sealed record KnownKey(StoredKey Stored, Principal Principal);
