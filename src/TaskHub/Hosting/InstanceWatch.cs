using System.Collections.Concurrent;

namespace OllamaMax.TaskHub.Hosting;

/// <summary>Tells who waits in this process that an orchestration has changed.</summary>
internal sealed class InstanceWatch
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _waiting = [];

    /// <summary>Ends with the next change. To be asked for before the orchestration is read: a change in between is not missed then.</summary>
    public Task NextAsync(string id) => _waiting.GetOrAdd(id, _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Changed(string id)
    {
        if (_waiting.TryRemove(id, out TaskCompletionSource? waiting))
            waiting.SetResult();
    }
}
