using OllamaMax.TaskHub.Instances;

namespace OllamaMax.TaskHub.Turns;

/// <summary>
/// Events that came before anybody waited, and who waits for events that have not come. Names know no case; of several who wait for the same name the latest
/// is told first, as with Durable Functions.
/// </summary>
internal sealed class EventWaiters
{
    private readonly List<HistoryEvent.EventRaised> _unread = [];
    private readonly List<Waiter> _waiting = [];

    public bool IsEmpty => _waiting.Count == 0;

    public IReadOnlyList<HistoryEvent.EventRaised> Unread => _unread;

    public void Tell(HistoryEvent.EventRaised raised)
    {
        int index = _waiting.FindLastIndex(waiter => Same(waiter.Name, raised.Name));
        if (index < 0)
        {
            _unread.Add(raised);
            return;
        }
        Waiter told = _waiting[index];
        _waiting.RemoveAt(index);
        told.Task.SetResult(raised.Data);
    }

    public Task<Payload?> WaitAsync(string name, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled<Payload?>(cancellationToken);
        int index = _unread.FindIndex(raised => Same(raised.Name, name));
        if (index >= 0)
        {
            HistoryEvent.EventRaised raised = _unread[index];
            _unread.RemoveAt(index);
            return Task.FromResult(raised.Data);
        }
        // Continued within the turn, by its scheduler: not on another thread.
        Waiter waiter = new(name, new TaskCompletionSource<Payload?>());
        _waiting.Add(waiter);
        cancellationToken.Register(() =>
        {
            if (_waiting.Remove(waiter))
                waiter.Task.SetCanceled(cancellationToken);
        });
        return waiter.Task.Task;
    }

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);

    private sealed record Waiter(string Name, TaskCompletionSource<Payload?> Task);
}
