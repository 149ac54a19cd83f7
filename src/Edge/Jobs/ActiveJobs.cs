using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace OllamaMax.Edge.Jobs;

/// <summary>
/// The background jobs that this edge knows to be under way, with their models, and how many clients follow each: a reason to look after them more often. Knows
/// less than storage does, and nothing depends on it but how soon something is noticed.
/// </summary>
internal sealed class ActiveJobs(IOptions<BackgroundOptions> options)
{
    private readonly ConcurrentDictionary<string, string> _models = [];
    private readonly ConcurrentDictionary<string, int> _followers = [];

    /// <summary>One has been added. Called on any thread.</summary>
    public event Action? Added;

    /// <summary>This one has ended, or is gone; known before or not. Called on any thread.</summary>
    public event Action<string>? Removed;

    public bool IsEmpty => _models.IsEmpty;

    public IReadOnlyCollection<string> Ids => [.. _models.Keys];

    /// <summary>Digests of the models that they wait for or run on.</summary>
    public IReadOnlyCollection<string> Models => [.. _models.Values.Distinct()];

    /// <summary>Not where nobody looks after them by what is known here: they would never be forgotten.</summary>
    public void Add(string id, string model)
    {
        if (options.Value.TakesCompletions && _models.TryAdd(id, model))
            Added?.Invoke();
    }

    public void Remove(string id)
    {
        _models.TryRemove(id, out _);
        Removed?.Invoke(id);
    }

    public void Follow(string id) => _followers.AddOrUpdate(id, 1, static (_, count) => count + 1);

    /// <summary>True where it was the last one.</summary>
    public bool Unfollow(string id)
    {
        if (_followers.AddOrUpdate(id, 0, static (_, count) => count - 1) > 0)
            return false;
        _followers.TryRemove(new(id, 0));
        return true;
    }
}
