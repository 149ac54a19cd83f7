namespace OllamaMax.Workers.Attempts;

/// <summary>The worker's slots. A job holds one from acceptance to its end, a claim while it waits for its answer.</summary>
public sealed class SlotGate(int total)
{
    private int _used;

    public int Total => total;

    public int Used => Volatile.Read(ref _used);

    public int Free => total - Used;

    public bool TryTake()
    {
        if (Interlocked.Increment(ref _used) <= total)
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
