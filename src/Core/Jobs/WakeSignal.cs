using System.Threading.Channels;

namespace OllamaMax.Jobs;

/// <summary>Wakes one waiting loop. Setting it twice before the loop looks wakes it once; setting never blocks.</summary>
public sealed class WakeSignal(TimeProvider time)
{
    private readonly Channel<bool> _channel = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Set() => _channel.Writer.TryWrite(true);

    /// <summary>Takes a signal that is there already.</summary>
    public bool TryTake() => _channel.Reader.TryRead(out _);

    /// <summary>Waits for the signal and takes it; false when it did not come in time.</summary>
    public async Task<bool> WaitAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        if (TryTake())
            return true;
        // A wait that is only left, and not cancelled, would stay with the channel until the next signal.
        using CancellationTokenSource limit = new(patience, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            // Waiting to read takes nothing, so that a signal which comes just after the time is up stays for the next wait.
            await _channel.Reader.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
        return TryTake();
    }
}
