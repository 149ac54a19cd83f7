using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OllamaMax.GpuWorker.Processes;

/// <summary>
/// One end of a pipe to write frames into, from any thread. Nobody who writes waits for the pipe, the decode thread least of all: frames
/// gather in memory, and a thread of its own writes what has gathered.
/// </summary>
internal sealed class FrameWriter : IDisposable
{
    public const int HeaderSize = 9;

    private readonly Stream _stream;
    private readonly Lock _lock = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly Thread _thread;
    private ArrayBufferWriter<byte> _gathering = new();
    private ArrayBufferWriter<byte> _writing = new();
    private bool _complete;

    public FrameWriter(Stream stream, string name)
    {
        _stream = stream;
        _thread = new Thread(WriteAll) { Name = name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>Ends when nothing can be written any more: it is complete, or the other end is gone.</summary>
    public Task Ended => _ended.Task;

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Write<T>(FrameKind kind, int job, T value, JsonTypeInfo<T> type) =>
        Write(kind, job, JsonSerializer.SerializeToUtf8Bytes(value, type));

    public void Write(FrameKind kind, int job = 0, ReadOnlySpan<byte> head = default, ReadOnlySpan<byte> middle = default, ReadOnlySpan<byte> tail = default)
    {
        int length = checked(head.Length + middle.Length + tail.Length);
        lock (_lock)
        {
            if (_complete)
                return;
            Span<byte> frame = _gathering.GetSpan(HeaderSize + length);
            BinaryPrimitives.WriteInt32LittleEndian(frame, length);
            frame[4] = (byte)kind;
            BinaryPrimitives.WriteInt32LittleEndian(frame[5..], job);
            head.CopyTo(frame[HeaderSize..]);
            middle.CopyTo(frame[(HeaderSize + head.Length)..]);
            tail.CopyTo(frame[(HeaderSize + head.Length + middle.Length)..]);
            _gathering.Advance(HeaderSize + length);
        }
        _wake.Set();
    }

    /// <summary>Takes nothing more; what was taken is written before <see cref="Ended"/>.</summary>
    public void Complete()
    {
        lock (_lock)
            _complete = true;
        _wake.Set();
    }

    /// <summary>To be called after <see cref="Ended"/>.</summary>
    public void Dispose()
    {
        _thread.Join();
        _wake.Dispose();
        _stream.Dispose();
    }

    private void WriteAll()
    {
        try
        {
            while (TakeGathered())
            {
                if (_writing.WrittenCount > 0)
                {
                    _stream.Write(_writing.WrittenSpan);
                    _stream.Flush();
                }
            }
        }
        catch (IOException)
        {
            // The other end is gone; whoever reads from it learns the same, and how.
            lock (_lock)
                _complete = true;
        }
        _ended.SetResult();
    }

    /// <summary>False when there is nothing left and nothing will come.</summary>
    private bool TakeGathered()
    {
        _writing = Emptied(_writing);
        while (true)
        {
            lock (_lock)
            {
                if (_gathering.WrittenCount > 0)
                {
                    (_gathering, _writing) = (_writing, _gathering);
                    return true;
                }
                if (_complete)
                    return false;
            }
            _wake.WaitOne();
        }
    }

    /// <summary>A prompt of megabytes must not hold its memory for good.</summary>
    private static ArrayBufferWriter<byte> Emptied(ArrayBufferWriter<byte> buffer)
    {
        if (buffer.Capacity > 1 << 20)
            return new();
        buffer.ResetWrittenCount();
        return buffer;
    }
}
