using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OllamaMax.Cluster;

/// <summary>A leader-owned document where it is kept, as far as the election needs to know it.</summary>
public abstract class FencedStore
{
    /// <exception cref="Leases.StoreException">Storage cannot be reached, or refused.</exception>
    /// <exception cref="DocumentException">It cannot be read.</exception>
    public abstract Task<long> ReadEpochAsync(CancellationToken cancellationToken);

    /// <summary>Writes the epoch into it. False: refused, another leader has been there.</summary>
    /// <exception cref="Leases.StoreException">Storage cannot be reached, or refused.</exception>
    /// <exception cref="DocumentException">It cannot be read.</exception>
    public abstract Task<bool> TakeOverAsync(LeaderTerm term, CancellationToken cancellationToken);
}

/// <summary>Reads a leader-owned document and writes it back under the tag it was read with, again where somebody got in between. Any number of callers.</summary>
/// <param name="store">Where it is kept.</param>
/// <param name="name">Its name there.</param>
/// <param name="schema">The highest that this program knows, and the one it writes.</param>
/// <param name="empty">The content as long as there is no document.</param>
/// <param name="type">How it is written.</param>
public sealed class FencedStore<T>(IDocumentStore store, string name, int schema, T empty, JsonTypeInfo<LeaderDocument<T>> type) : FencedStore
    where T : class
{
    /// <summary>Writers that get in between, each once: more than there ever are at a time.</summary>
    private const int MostTries = 20;

    private Snapshot? _last;

    /// <summary>As last read or written here; null before the first time.</summary>
    public LeaderDocument<T>? Last => Volatile.Read(ref _last)?.Document;

    /// <summary>As it is now. Costs a request, and a download only where it has changed.</summary>
    /// <exception cref="Leases.StoreException">Storage cannot be reached, or refused.</exception>
    /// <exception cref="DocumentException">It cannot be read.</exception>
    public async Task<LeaderDocument<T>> ReadAsync(CancellationToken cancellationToken) => (await SnapshotAsync(cancellationToken)).Document;

    public override async Task<long> ReadEpochAsync(CancellationToken cancellationToken) => (await ReadAsync(cancellationToken)).Epoch;

    public override async Task<bool> TakeOverAsync(LeaderTerm term, CancellationToken cancellationToken) =>
        await WriteAsync(document => document.TakeOver(term), isLastGoodEnough: false, cancellationToken) is not null;

    /// <summary>
    /// The document after a leader's change; null where it was refused: another leader has taken it over. What was read last is good enough to try on, as the write
    /// is conditional: a change that changes nothing costs no request.
    /// </summary>
    /// <exception cref="Leases.StoreException">Storage cannot be reached, or refused; it may have been written all the same.</exception>
    /// <exception cref="DocumentException">It cannot be read.</exception>
    public Task<LeaderDocument<T>?> ApplyAsync(LeaderTerm term, Func<T, T> change, CancellationToken cancellationToken) =>
        WriteAsync(document => document.Apply(term, change), isLastGoodEnough: true, cancellationToken);

    /// <summary>The document after a change that needs no leader. Must do nothing when it is done twice: a write whose answer was lost is tried again.</summary>
    /// <exception cref="Leases.StoreException">Storage cannot be reached, or refused; it may have been written all the same.</exception>
    /// <exception cref="DocumentException">It cannot be read.</exception>
    public async Task<LeaderDocument<T>> ChangeAsync(Func<T, T> change, CancellationToken cancellationToken) =>
        (await WriteAsync(document => document.Change(change), isLastGoodEnough: false, cancellationToken))!;

    private async Task<LeaderDocument<T>?> WriteAsync(
        Func<LeaderDocument<T>, LeaderDocument<T>?> change, bool isLastGoodEnough, CancellationToken cancellationToken)
    {
        Snapshot? at = isLastGoodEnough ? Volatile.Read(ref _last) : null;
        bool isFresh = at is null;
        for (int tries = 0; tries < MostTries; tries++)
        {
            at ??= await SnapshotAsync(cancellationToken);
            LeaderDocument<T>? next = change(at.Document);
            if (ReferenceEquals(next, at.Document) || (next is null && isFresh))
                return next;
            if (next is not null && await WriteAsync(next, at, cancellationToken))
                return next;
            (at, isFresh) = (null, true);
        }
        throw new InvalidOperationException($"the document cluster/{name} was changed by others {MostTries} times in a row");
    }

    private async Task<bool> WriteAsync(LeaderDocument<T> next, Snapshot basis, CancellationToken cancellationToken)
    {
        byte[] content = Write(next);
        if (await store.WriteAsync(name, content, basis.Stored, cancellationToken) is not { } stored)
            return false;
        Volatile.Write(ref _last, new(next, stored));
        return true;
    }

    private async Task<Snapshot> SnapshotAsync(CancellationToken cancellationToken)
    {
        Snapshot? known = Volatile.Read(ref _last);
        StoredDocument? stored = await store.ReadAsync(name, known?.Stored, cancellationToken);
        if (known is not null && ReferenceEquals(stored, known.Stored))
            return known;
        Snapshot now = new(stored is null ? new(schema, 0, null, null, 0, empty) : Read(stored.Content.Span), stored);
        // What was written here meanwhile is newer than what was read.
        Interlocked.CompareExchange(ref _last, now, known);
        return now;
    }

    /// <summary>The highest schema that is known, and the one that is written.</summary>
    public int Schema => schema;

    /// <summary>The document as it is stored.</summary>
    public byte[] Write(LeaderDocument<T> document) => JsonSerializer.SerializeToUtf8Bytes(document with { Schema = schema }, type);

    /// <summary>Reads what was stored, here or elsewhere, by this version or an older one.</summary>
    /// <exception cref="DocumentException">It cannot be read.</exception>
    public LeaderDocument<T> Read(ReadOnlySpan<byte> content)
    {
        try
        {
            // Its schema first: of a newer one nothing else is known to fit.
            int written = JsonSerializer.Deserialize(content, DocumentJson.Default.SchemaOnly)?.Schema ?? 0;
            if (written > schema)
                throw new DocumentException(name, $"it has schema {written}, and this version knows {schema} at most; upgrade this edge");
            return JsonSerializer.Deserialize(content, type) is { Schema: > 0, Epoch: >= 0, Version: >= 0, Content: not null } document
                ? document
                : throw new DocumentException(name, "it is damaged: schema, epoch, version or content are missing or make no sense");
        }
        catch (JsonException e)
        {
            throw new DocumentException(name, $"it is damaged ({e.Message}); repair it, or delete it to begin anew", e);
        }
    }

    private sealed record Snapshot(LeaderDocument<T> Document, StoredDocument? Stored);
}
