using System.Runtime.ExceptionServices;
using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Batching;

/// <summary>
/// Decodes batches on a thread of its own, a slice of time at a call: when that is over, the computation stands still in the middle of a batch until the next call.
/// The two threads take turns; they never compute at once. Used by one thread.
/// </summary>
/// <param name="context">Interruptible; owned from here on.</param>
/// <param name="time">The clock.</param>
internal sealed class SlicedDecoder(INativeContext context, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(0);
    private readonly SemaphoreSlim _return = new(0);
    private Thread? _thread;
    private DecodeBatch? _batch;
    private TimeSpan _slice;
    private long _sliceStart;
    private TimeSpan _asked;
    private TimeSpan _longestPart;
    private DecodeOutcome _outcome;
    private ExceptionDispatchInfo? _failure;
    private bool _givesUp;
    private bool _ends;

    /// <summary>Between the slices of a batch: nobody may touch the context.</summary>
    public bool IsWithin { get; private set; }

    /// <summary>Goes on with the batch that it is within; else begins <paramref name="batch"/>.</summary>
    /// <param name="batch">Not to be changed until it is decoded.</param>
    /// <param name="slice">About so long.</param>
    /// <returns>Null: the time is over.</returns>
    /// <exception cref="NativeException">The computation failed.</exception>
    public DecodeOutcome? Run(DecodeBatch batch, TimeSpan slice)
    {
        if (!IsWithin)
            (_batch, _longestPart) = (batch, TimeSpan.Zero);
        (_slice, _sliceStart, _asked) = (slice, time.GetTimestamp(), TimeSpan.Zero);
        TakeTurn();
        if (IsWithin)
            return null;
        _failure?.Throw();
        return _outcome;
    }

    /// <summary>Ends the batch that it is within, however that ends: its sequences are worth nothing then.</summary>
    public void GiveUp()
    {
        if (!IsWithin)
            return;
        _givesUp = true;
        TakeTurn();
        _givesUp = false;
    }

    public void Dispose()
    {
        GiveUp();
        if (_thread is not null)
        {
            _ends = true;
            _turn.Release();
            _thread.Join();
            _thread = null;
        }
        context.Dispose();
        _turn.Dispose();
        _return.Dispose();
    }

    private void TakeTurn()
    {
        if (_thread is null)
        {
            _thread = new Thread(Decode) { Name = "stage", IsBackground = true };
            _thread.Start();
        }
        _turn.Release();
        _return.Wait();
    }

    private void Decode()
    {
        while (true)
        {
            _turn.Wait();
            if (_ends)
                return;
            IsWithin = true;
            _failure = null;
            try
            {
                _outcome = context.Decode(_batch!, GoOn);
            }
#pragma warning disable CA1031 // Thrown on the thread that waits.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                _failure = ExceptionDispatchInfo.Capture(failure);
            }
            IsWithin = false;
            _return.Release();
        }
    }

    private bool GoOn()
    {
        TimeSpan spent = time.GetElapsedTime(_sliceStart);
        (TimeSpan part, _asked) = (spent - _asked, spent);
        _longestPart = part > _longestPart ? part : _longestPart;
        // Rounded: as far beyond the slice as the next part may reach, another one may have ended before it.
        if (spent + (_longestPart / 2) < _slice)
            return true;
        _return.Release();
        _turn.Wait();
        return !_givesUp;
    }
}
