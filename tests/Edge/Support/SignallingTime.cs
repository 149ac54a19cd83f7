using Microsoft.Extensions.Time.Testing;

namespace OllamaMax.Edge.Tests.Support;

/// <summary>Time that stands still, and tells when somebody has begun to wait: only then is it safe to move it.</summary>
internal sealed class SignallingTime() : FakeTimeProvider(new DateTimeOffset(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero))
{
    private readonly Lock _lock = new();
    private readonly List<TimeSpan> _timers = [];
    private readonly List<(TimeSpan Due, TaskCompletionSource Seen)> _waiting = [];

    /// <summary>Completes when a timer of that length was created that no earlier call has seen.</summary>
    public Task WhenTimerAsync(TimeSpan due)
    {
        TaskCompletionSource seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_timers.Remove(due))
                return Task.CompletedTask;
            _waiting.Add((due, seen));
        }
        return seen.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ITimer timer = base.CreateTimer(callback, state, dueTime, period);
        lock (_lock)
        {
            int index = _waiting.FindIndex(one => one.Due == dueTime);
            if (index < 0)
            {
                _timers.Add(dueTime);
            }
            else
            {
                _waiting[index].Seen.SetResult();
                _waiting.RemoveAt(index);
            }
        }
        return timer;
    }
}
