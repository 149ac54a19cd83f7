using OllamaMax.Replication;

namespace OllamaMax.GpuWorker.Models;

/// <summary>How far a copy is. Written by its lanes, read by whoever reports.</summary>
internal sealed class TransferProgress(string digest, TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();
    private long _completed;
    private long _fetched;
    private long _total;

    public string Digest => digest;

    /// <summary>Bytes of all, once they are known.</summary>
    public long Total
    {
        get => Interlocked.Read(ref _total);
        set => Interlocked.Exchange(ref _total, value);
    }

    /// <summary>Bytes that came from storage.</summary>
    public long Fetched => Interlocked.Read(ref _fetched);

    /// <summary>A piece has come, and is what it should be.</summary>
    public void Fetch(int bytes)
    {
        Interlocked.Add(ref _fetched, bytes);
        Interlocked.Add(ref _completed, bytes);
    }

    /// <summary>A piece was there from before.</summary>
    public void Find(int bytes) => Interlocked.Add(ref _completed, bytes);

    public ReplicaTransfer Describe() =>
        new(digest, Interlocked.Read(ref _completed), Total, (long)(Fetched / Math.Max(0.001, time.GetElapsedTime(_start).TotalSeconds)));
}
