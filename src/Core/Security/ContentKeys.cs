namespace OllamaMax.Security;

/// <summary>
/// The keys that edges encrypt content with where it lies (docs/adr/0009). The first one seals what is new, and all open what was sealed with them: one that is retired stands behind the
/// others until nothing of its time is kept any more.
/// </summary>
public sealed class ContentKeys
{
    /// <summary>Nothing is sealed, and nothing sealed can be read.</summary>
    public static readonly ContentKeys None = new([], seals: false);

    private readonly Dictionary<string, ContentKey> _keys;

    /// <param name="keys">The first seals; ids differ.</param>
    /// <param name="seals">Whether what is new is sealed. False: keys only open.</param>
    public ContentKeys(IReadOnlyList<ContentKey> keys, bool seals)
    {
        _keys = keys.ToDictionary(key => key.Id, StringComparer.Ordinal);
        Current = seals ? keys[0].Id : null;
    }

    /// <summary>Id of the key for what is new; null: that is not sealed.</summary>
    public string? Current { get; }

    /// <summary>For what is new; null: it is not sealed.</summary>
    /// <param name="kind">What it is.</param>
    /// <param name="id">Whose it is.</param>
    public ContentSeal? New(ContentKind kind, string id) => Current is { } key ? Of(key, kind, id) : null;

    /// <summary>Null where there is no such key here.</summary>
    /// <param name="key">Id of the key.</param>
    /// <param name="kind">What it is.</param>
    /// <param name="id">Whose it is.</param>
    public ContentSeal? Find(string key, ContentKind kind, string id) => _keys.TryGetValue(key, out ContentKey? found) ? ContentSeal.Of(found, kind, id) : null;

    /// <inheritdoc cref="Find"/>
    /// <exception cref="ContentKeyException">There is no such key here.</exception>
    public ContentSeal Of(string key, ContentKind kind, string id) => Find(key, kind, id) ?? throw new ContentKeyException(key);
}

/// <summary>What has a key of its own; the names are part of it.</summary>
public enum ContentKind
{
    /// <summary>A background job: what is asked, and its output.</summary>
    Job,

    /// <summary>A response that was answered while its client waited.</summary>
    Response,

    /// <summary>A job with a strategy, or a batch: what its jobs are made of.</summary>
    Strategy,

    /// <summary>A file.</summary>
    File,
}
