using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Threading.Channels;
using Microsoft.Win32.SafeHandles;
using OllamaMax.Models;

namespace OllamaMax.GpuWorker.Models;

/// <summary>
/// Copies weights into a file, several pieces at once, each verified before it is written to its place. A piece that is there already is not fetched: whether it is, its
/// own bytes tell, so there is no record beside the file that could be wrong after a crash. Memory: one buffer for each lane, and one to hash the whole with.
/// </summary>
internal sealed class ChunkCopy(ModelSource source, ModelChunks list, SafeFileHandle file, TransferProgress progress)
{
    /// <summary>Pieces at once: enough to hide the latency of a distant region (4 MiB each 100 ms are 320 Mbit/s a lane), and 20 MB of memory.</summary>
    public const int Lanes = 4;

    /// <summary>What came damaged on the way comes whole the next time; what lies damaged in storage never does.</summary>
    private const int Tries = 3;

    private readonly ConcurrentBag<byte[]> _buffers = [];
    private readonly long _before = RandomAccess.GetLength(file);

    /// <summary>Ends when the file is what the digest says.</summary>
    /// <exception cref="ReplicaException">It cannot be had.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (_before > list.Size)
            RandomAccess.SetLength(file, list.Size);
        Channel<int> written = Channel.CreateUnbounded<int>(new UnboundedChannelOptions { SingleReader = true });
        Task<string> hashing = HashAsync(written.Reader, cancellationToken);
        try
        {
            ParallelOptions lanes = new() { MaxDegreeOfParallelism = Lanes, CancellationToken = cancellationToken };
            await Parallel.ForEachAsync(Enumerable.Range(0, list.Chunks.Count), lanes, async (index, stop) =>
            {
                await CopyAsync(index, stop);
                written.Writer.TryWrite(index);
            });
        }
        finally
        {
            written.Writer.Complete();
            await ((Task)hashing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        string actual = await hashing;
        if (actual != list.Digest)
            throw new DamagedSourceException($"what was fetched as {list.Digest} has the digest {actual}; it was thrown away");
    }

    private async Task CopyAsync(int index, CancellationToken cancellationToken)
    {
        byte[] buffer = _buffers.TryTake(out byte[]? free) ? free : new byte[list.ChunkSize];
        try
        {
            long offset = (long)index * list.ChunkSize;
            Memory<byte> piece = buffer.AsMemory(0, list.LengthOf(index));
            if (offset + piece.Length <= _before && await RandomAccess.ReadAsync(file, piece, offset, cancellationToken) == piece.Length && Is(index, piece.Span))
            {
                progress.Find(piece.Length);
                return;
            }
            await FetchAsync(index, offset, piece, cancellationToken);
            await RandomAccess.WriteAsync(file, piece, offset, cancellationToken);
            progress.Fetch(piece.Length);
        }
        finally
        {
            _buffers.Add(buffer);
        }
    }

    private async Task FetchAsync(int index, long offset, Memory<byte> piece, CancellationToken cancellationToken)
    {
        for (int tries = 1; ; tries++)
        {
            int read = await source.ReadAsync(list.Digest, offset, piece, cancellationToken);
            if (read == piece.Length && Is(index, piece.Span))
                return;
            if (tries == Tries)
            {
                throw new ReplicaException(read < piece.Length
                    ? $"model {list.Digest} ends in storage after {offset + read} of {list.Size} bytes"
                    : $"model {list.Digest} is damaged in storage: its bytes from {offset} on are not what they were when it was published");
            }
        }
    }

    private bool Is(int index, ReadOnlySpan<byte> piece) => ModelDigest.Of(piece) == list.Chunks[index];

    /// <summary>The digest of the whole, close behind the lanes: what they wrote is still in the system's memory.</summary>
    private async Task<string> HashAsync(ChannelReader<int> written, CancellationToken cancellationToken)
    {
        using IncrementalHash whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[list.ChunkSize];
        var isWritten = new bool[list.Chunks.Count];
        int next = 0;
        await foreach (int index in written.ReadAllAsync(cancellationToken))
        {
            isWritten[index] = true;
            for (; next < isWritten.Length && isWritten[next]; next++)
            {
                int length = list.LengthOf(next);
                if (await RandomAccess.ReadAsync(file, buffer.AsMemory(0, length), (long)next * list.ChunkSize, cancellationToken) != length)
                    throw new IOException("what was written to the copy cannot be read back");
                whole.AppendData(buffer, 0, length);
            }
        }
        return ModelDigest.Format(whole.GetHashAndReset());
    }
}
