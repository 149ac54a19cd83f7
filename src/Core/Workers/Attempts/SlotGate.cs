namespace OllamaMax.Workers.Attempts;

/// <summary>The worker's slots. A job holds one from acceptance to its end, a claim while it waits for its answer.</summary>
public sealed class SlotGate(int total)
{
    private int _total = total;
    private int _used;

    public int Total => Volatile.Read(ref _total);

    public int Used => Volatile.Read(ref _used);

    public int Free => Total - Used;

    /// <summary>Has so many slots from now on; what holds one keeps it.</summary>
    public void Resize(int to) => Volatile.Write(ref _total, to);

    public bool TryTake()
    {
        if (Interlocked.Increment(ref _used) <= Total)
            return true;
        Interlocked.Decrement(ref _used);
        return false;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _used) < 0)
            throw new InvalidOperationException("a slot was released twice");
    }
}
