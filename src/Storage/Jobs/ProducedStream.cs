namespace OllamaMax.Storage.Jobs;

/// <summary>A stream that is made piece by piece while it is read, asynchronously and once.</summary>
internal abstract class ProducedStream : Stream
{
    private byte[] _piece = [];
    private int _read;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_read == _piece.Length)
        {
            if (await NextAsync(cancellationToken) is not { } next)
                return 0;
            (_piece, _read) = (next, 0);
        }
        int count = Math.Min(buffer.Length, _piece.Length - _read);
        _piece.AsMemory(_read, count).CopyTo(buffer);
        _read += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("it is read asynchronously only");

    public override void Flush()
    {
        // Nothing is ever written.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>May be empty; null: there is no more.</summary>
    protected abstract ValueTask<byte[]?> NextAsync(CancellationToken cancellationToken);
}
