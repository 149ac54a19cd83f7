using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;

namespace OllamaMax.TestKit;

/// <summary>A clock that a test moves, and that tells it when somebody has begun to wait: no advance comes too early.</summary>
public sealed class WatchedTimeProvider() : FakeTimeProvider(new DateTimeOffset(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero))
{
    private readonly ConcurrentDictionary<TimeSpan, SemaphoreSlim> _timers = [];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ITimer timer = base.CreateTimer(callback, state, dueTime, period);
        Created(dueTime).Release();
        return timer;
    }

    /// <summary>Ends when a timer of this due time was made that no call before has seen.</summary>
    public Task WaitForTimerAsync(TimeSpan dueTime, CancellationToken cancellationToken) => Created(dueTime).WaitAsync(cancellationToken);

    private SemaphoreSlim Created(TimeSpan dueTime) => _timers.GetOrAdd(dueTime, _ => new(0));
}
