using OllamaMax.Jobs;

namespace OllamaMax.Streaming;

/// <summary>
/// One attempt's output at the worker: what is not sent yet, and what is sent but not acknowledged, as any message may
/// be lost. The decode thread writes, the sender collects; hence the lock.
/// </summary>
public sealed class AttemptBuffer : ITokenSink
{
    /// <summary>A worker repeats what nobody has acknowledged for this long.</summary>
    public static readonly TimeSpan ResendAfter = TimeSpan.FromSeconds(2);

    /// <summary>Bytes of a piece: sealed it is nearly twice as long, and SignalR takes 1 MB a message.</summary>
    public const int LargestPiece = 512 << 10;

    private readonly Lock _lock = new();
    private readonly List<int> _tokens = [];
    private readonly List<int> _lengths = [];
    private readonly List<byte> _bytes = [];
    private readonly List<TokenLogprobs?> _logprobs = [];
    private readonly int _first;
    private readonly Action<bool> _changed;
    private int _base;
    private int _sent;
    private bool _endSent;
    private bool _done;
    private AttemptStart? _start;
    private AttemptEnd? _end;
    private TimeSpan _progressAt;

    /// <param name="first">Index of the first token that this attempt produces.</param>
    /// <param name="changed">Called when there is something to send; true when it should not wait (first token, end). Must not block.</param>
    public AttemptBuffer(int first, Action<bool> changed)
    {
        _first = _base = _sent = first;
        _changed = changed;
    }

    /// <summary>The owner has everything, or wants nothing more: it can be forgotten.</summary>
    public bool IsDone
    {
        get
        {
            lock (_lock)
                return _done;
        }
    }

    public void Started(AttemptStart start)
    {
        lock (_lock)
            _start = start;
    }

    /// <exception cref="InvalidOperationException">It is out of order, or so large that no message takes it.</exception>
    public void Write(int index, int token, ReadOnlySpan<byte> piece, TokenLogprobs? logprobs = null)
    {
        if (piece.Length > LargestPiece)
            throw new InvalidOperationException($"the answer has a piece of {piece.Length} bytes, and no message takes more than {LargestPiece}");
        lock (_lock)
        {
            if (index != _base + _tokens.Count)
                throw new InvalidOperationException($"token {index} after token {_base + _tokens.Count - 1}");
            _tokens.Add(token);
            _lengths.Add(piece.Length);
            _bytes.AddRange(piece);
            _logprobs.Add(logprobs);
        }
        _changed(index == _first);
    }

    public void Ended(AttemptEnd end)
    {
        lock (_lock)
            _end = end;
        _changed(true);
    }

    /// <summary>What is to be sent now; null when there is nothing, or no room. It counts as sent from then on.</summary>
    /// <param name="now">The time.</param>
    /// <param name="room">Of the message that it goes with; null: as much as there is.</param>
    public Chunk? Collect(TimeSpan now, MessageRoom? room = null)
    {
        lock (_lock)
        {
            bool endNow = _end is not null && !_endSent;
            if (_done || (_sent == _base + _tokens.Count && !endNow))
                return null;
            int from = _sent - _base;
            int to = room is null ? _tokens.Count : Fitting(from, room);
            bool isAll = to == _tokens.Count;
            if (to == from && !isAll)
                return null;
            if (from == 0)
                _progressAt = now;
            int skip = _lengths.Take(from).Sum();
            int bytes = _lengths.Skip(from).Take(to - from).Sum();
            var chunk = new Chunk(
                _sent,
                [.. _tokens[from..to]],
                [.. _lengths[from..to]],
                [.. _bytes[skip..(skip + bytes)]],
                _sent == _first ? _start : null,
                isAll ? _end : null,
                _logprobs.Exists(one => one is not null) ? [.. _logprobs[from..to]] : null);
            _sent = _base + to;
            _endSent = isAll && _end is not null;
            return chunk;
        }
    }

    /// <summary>A collected chunk was not taken by the service: it is to be sent again.</summary>
    public void NotSent(Chunk chunk)
    {
        lock (_lock)
        {
            _sent = Math.Max(_base, Math.Min(_sent, chunk.Index));
            _endSent = false;
        }
    }

    public void Acknowledge(Ack ack, TimeSpan now)
    {
        bool resend = false;
        lock (_lock)
        {
            _done |= ack.Ended;
            int acked = Math.Min(ack.Next, _base + _tokens.Count) - _base;
            if (acked > 0)
            {
                Forget(acked);
                _progressAt = now;
            }
            if (ack.Missing && ack.Next < _sent && ack.Next >= _base)
            {
                SendAgain(now);
                resend = true;
            }
        }
        if (resend)
            _changed(true);
    }

    /// <summary>Sends again what has not been acknowledged for long.</summary>
    public void Tick(TimeSpan now)
    {
        lock (_lock)
        {
            bool unacknowledged = _sent > _base || _endSent;
            if (_done || !unacknowledged || now - _progressAt < ResendAfter)
                return;
            SendAgain(now);
        }
        _changed(true);
    }

    private int Fitting(int from, MessageRoom room)
    {
        int to = from;
        while (to < _tokens.Count && room.TryTake(_lengths[to], _logprobs[to]))
            to++;
        return to;
    }

    private void SendAgain(TimeSpan now)
    {
        _sent = _base;
        _endSent = false;
        _progressAt = now;
    }

    private void Forget(int count)
    {
        int bytes = 0;
        for (int i = 0; i < count; i++)
            bytes += _lengths[i];
        _tokens.RemoveRange(0, count);
        _lengths.RemoveRange(0, count);
        _bytes.RemoveRange(0, bytes);
        _logprobs.RemoveRange(0, count);
        _base += count;
        _sent = Math.Max(_sent, _base);
    }
}
