using System.Globalization;
using OllamaMax.Cluster;

namespace OllamaMax.TestKit.Simulation;

/// <summary>One lease and some documents, as storage keeps them; the contract tests hold them against the real thing.</summary>
/// <param name="world">Whose time measures the lease.</param>
/// <param name="ignoresTags">A storage that takes every write: what is checked against it must be found wanting.</param>
public sealed class SimulatedStorage(VirtualWorld world, bool ignoresTags = false)
{
    private readonly Dictionary<string, StoredDocument> _documents = [];
    private string? _holder;
    private TimeSpan _duration;
    private TimeSpan _expiresAt;
    private long _tags;

    /// <summary>Each write that was taken. Called with the name, the content and the writer.</summary>
    public event Action<string, ReadOnlyMemory<byte>, string>? Written;

    public bool TryAcquire(string id, TimeSpan duration)
    {
        if (_holder is not null && _holder != id && world.Now < _expiresAt)
            return false;
        (_holder, _duration, _expiresAt) = (id, duration, world.Now + duration);
        return true;
    }

    public bool TryRenew(string id)
    {
        // One that has run out is renewed as long as nobody has taken it.
        if (_holder != id)
            return false;
        _expiresAt = world.Now + _duration;
        return true;
    }

    public bool Release(string id)
    {
        if (_holder != id)
            return false;
        _holder = null;
        return true;
    }

    /// <summary>By somebody's hand.</summary>
    public void Break() => _holder = null;

    public StoredDocument? Read(string name, StoredDocument? known)
    {
        StoredDocument? stored = _documents.GetValueOrDefault(name);
        return known is not null && stored?.Tag == known.Tag ? known : stored;
    }

    /// <param name="writer">For the history.</param>
    public StoredDocument? Write(string name, ReadOnlyMemory<byte> content, StoredDocument? basis, string writer)
    {
        if (!ignoresTags && _documents.GetValueOrDefault(name)?.Tag != basis?.Tag)
            return null;
        StoredDocument stored = new((++_tags).ToString(CultureInfo.InvariantCulture), content.ToArray());
        _documents[name] = stored;
        Written?.Invoke(name, stored.Content, writer);
        return stored;
    }
}
