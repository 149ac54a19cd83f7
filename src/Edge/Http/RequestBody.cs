using System.Buffers;

namespace OllamaMax.Edge.Http;

/// <summary>A request's whole body in one piece of memory: pooled where it is of a usual size, the system's own where it is huge. Valid until disposed.</summary>
/// <param name="limit">Most bytes that will be appended.</param>
internal sealed class RequestBody(int limit) : IDisposable
{
    /// <summary>The pool keeps what it is given back, for each thread: a few huge bodies would stay in memory for good.</summary>
    private const int LargestPooled = 1 << 20;

    private static readonly byte[] Utf8Mark = [0xEF, 0xBB, 0xBF];
    private byte[] _pooled = ArrayPool<byte>.Shared.Rent(4096);
    private LargeBuffer? _large;
    private int _length;

    /// <summary>Without a byte order mark.</summary>
    public ReadOnlyMemory<byte> Bytes
    {
        get
        {
            ReadOnlyMemory<byte> all = Buffer[.._length];
            return all.Span.StartsWith(Utf8Mark) ? all[Utf8Mark.Length..] : all;
        }
    }

    private Memory<byte> Buffer => _large?.Memory ?? _pooled;

    public void Append(in ReadOnlySequence<byte> bytes)
    {
        int needed = checked(_length + (int)bytes.Length);
        if (needed > Buffer.Length)
            Grow(needed);
        bytes.CopyTo(Buffer.Span[_length..]);
        _length = needed;
    }

    public void Dispose()
    {
        ReturnPooled();
        ((IDisposable?)_large)?.Dispose();
        _large = null;
        _length = 0;
    }

    private void Grow(int needed)
    {
        byte[] larger = [];
        if (needed <= LargestPooled)
            larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, _pooled.Length * 2));
        else
            _large = new LargeBuffer(limit);
        _pooled.AsSpan(0, _length).CopyTo(_large is null ? larger : _large.Memory.Span);
        ReturnPooled();
        _pooled = larger;
    }

    private void ReturnPooled()
    {
        if (_pooled.Length > 0)
            ArrayPool<byte>.Shared.Return(_pooled);
        _pooled = [];
    }
}
