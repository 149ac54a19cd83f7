namespace OllamaMax.GpuWorker.Dispatch;

/// <summary>Has the many take turns, some at a time.</summary>
/// <param name="most">Of each time.</param>
internal sealed class PollTurns(int most)
{
    private int _next;

    /// <summary>Those whose turn it is: each once, and all of them before the first comes again, unless they become fewer.</summary>
    public IReadOnlyList<T> Next<T>(IReadOnlyList<T> all)
    {
        if (all.Count == 0)
            return [];
        T[] taken = [.. Enumerable.Range(_next, Math.Min(all.Count, most)).Select(turn => all[turn % all.Count])];
        _next = (_next + taken.Length) % all.Count;
        return taken;
    }
}
