namespace OllamaMax.Chaos.Tests;

/// <summary>
/// Beats with each piece of text that any client reads. What is to happen in the middle of answers is timed by it, not by a clock: so the same
/// happens on a slow machine.
/// </summary>
internal sealed class Pulse
{
    private readonly Lock _lock = new();
    private readonly List<(long At, TaskCompletionSource Reached)> _waiting = [];
    private long _beats;

    public void Beat()
    {
        List<TaskCompletionSource> reached;
        lock (_lock)
        {
            _beats++;
            reached = [.. _waiting.Where(waiter => waiter.At <= _beats).Select(waiter => waiter.Reached)];
            _waiting.RemoveAll(waiter => waiter.At <= _beats);
        }
        foreach (TaskCompletionSource waiter in reached)
            waiter.SetResult();
    }

    /// <summary>Done when there were so many more beats.</summary>
    public Task AfterAsync(int more, CancellationToken cancellationToken)
    {
        TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
            _waiting.Add((_beats + more, reached));
        return WaitAsync(reached.Task, more, cancellationToken);
    }

    private static async Task WaitAsync(Task reached, int more, CancellationToken cancellationToken)
    {
        try
        {
            await reached.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException($"Clients did not read {more} more pieces of text.", e, cancellationToken);
        }
    }
}
