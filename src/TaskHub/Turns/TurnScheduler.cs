namespace OllamaMax.TaskHub.Turns;

/// <summary>
/// Runs an orchestrator's code on the calling thread alone, and its continuations in the order in which they come. What another thread wants to continue is
/// not run: the code has waited for something that its context did not give.
/// </summary>
internal sealed class TurnScheduler : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _queue = [];
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private volatile bool _isDisturbed;

    /// <summary>Another thread wanted something continued.</summary>
    public bool IsDisturbed => _isDisturbed;

    /// <summary>Until nothing is left to continue.</summary>
    public void Run(Action action)
    {
        SynchronizationContext? outer = Current;
        SetSynchronizationContext(this);
        try
        {
            action();
            while (_queue.TryDequeue(out var next))
                next.Callback(next.State);
        }
        finally
        {
            SetSynchronizationContext(outer);
        }
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        // The queue is this thread's own: it is not touched from another.
        if (Environment.CurrentManagedThreadId == _thread)
            _queue.Enqueue((d, state));
        else
            _isDisturbed = true;
    }

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("An orchestrator's code is continued in order, never in between.");

    public override SynchronizationContext CreateCopy() => this;
}
