using System.Buffers;

namespace OllamaMax.Edge.Http;

/// <summary>A request's whole body in one piece of memory, pooled where it is of a usual size; valid until disposed.</summary>
internal sealed class RequestBody : IDisposable
{
    /// <summary>The pool keeps what it is given back, for each thread: a few huge bodies would stay in memory for good.</summary>
    private const int LargestPooled = 1 << 20;

    private static readonly byte[] Utf8Mark = [0xEF, 0xBB, 0xBF];
    private byte[] _buffer = Rent(4096);
    private int _length;

    /// <summary>Without a byte order mark.</summary>
    public ReadOnlyMemory<byte> Bytes
    {
        get
        {
            ReadOnlyMemory<byte> all = _buffer.AsMemory(0, _length);
            return all.Span.StartsWith(Utf8Mark) ? all[Utf8Mark.Length..] : all;
        }
    }

    public void Append(in ReadOnlySequence<byte> bytes)
    {
        int needed = checked(_length + (int)bytes.Length);
        if (needed > _buffer.Length)
        {
            byte[] larger = Rent((int)Math.Max(needed, Math.Min(_buffer.Length * 2L, Array.MaxLength)));
            _buffer.AsSpan(0, _length).CopyTo(larger);
            Return(_buffer);
            _buffer = larger;
        }
        bytes.CopyTo(_buffer.AsSpan(_length));
        _length = needed;
    }

    public void Dispose()
    {
        Return(_buffer);
        _buffer = [];
        _length = 0;
    }

    private static byte[] Rent(int length) =>
        length <= LargestPooled ? ArrayPool<byte>.Shared.Rent(length) : GC.AllocateUninitializedArray<byte>(length);

    private static void Return(byte[] buffer)
    {
        if (buffer.Length is > 0 and <= LargestPooled)
            ArrayPool<byte>.Shared.Return(buffer);
    }
}
