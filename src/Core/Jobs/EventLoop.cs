using System.Threading.Channels;

namespace OllamaMax.Jobs;

/// <summary>
/// What a dispatcher lives from: everything that happens to it is done one after the other, so that nothing it owns needs a lock.
/// </summary>
/// <param name="unexpected">Is told of what a happening threw: one job's surprise must not end the loop that all others live from.</param>
public sealed class EventLoop(TimeProvider time, Action<Exception> unexpected)
{
    private readonly Channel<Action> _events = Channel.CreateUnbounded<Action>(new() { SingleReader = true });

    /// <summary>Has the loop do it, after all that was posted before. Never blocks; any thread may.</summary>
    public void Post(Action happening) => _events.Writer.TryWrite(happening);

    /// <summary>Does what is posted until it is stopped; what is left then is not done.</summary>
    /// <param name="tickEvery">The time between two calls of <paramref name="onTick"/>.</param>
    /// <param name="onTick">Called beside the loop: what it has to do there it posts.</param>
    /// <param name="stopping">Ends it.</param>
    public async Task RunAsync(TimeSpan tickEvery, Action onTick, CancellationToken stopping)
    {
        Task ticking = TickAsync(tickEvery, onTick, stopping);
        try
        {
            await foreach (Action happening in _events.Reader.ReadAllAsync(stopping))
                Handle(happening);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
        await ticking;
    }

    private void Handle(Action happening)
    {
        try
        {
            happening();
        }
        catch (Exception e)
        {
            unexpected(e);
        }
    }

    private async Task TickAsync(TimeSpan every, Action onTick, CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(every, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
                onTick();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }
}
