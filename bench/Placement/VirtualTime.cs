namespace OllamaMax.Bench.Placement;

/// <summary>Time that passes as soon as nothing is left to do at a moment. What is due at the same moment comes in the order in which it was asked for.</summary>
internal sealed class VirtualTime
{
    private readonly PriorityQueue<Action, (TimeSpan At, long Number)> _due = new();
    private long _number;

    public TimeSpan Now { get; private set; }

    public void After(TimeSpan delay, Action act) => _due.Enqueue(act, (Now + delay, _number++));

    /// <summary>Goes on until <paramref name="isDone"/>, which must become true.</summary>
    public void Run(Func<bool> isDone)
    {
        while (!isDone())
        {
            if (!_due.TryDequeue(out Action? act, out (TimeSpan At, long Number) due))
                throw new InvalidOperationException("Nothing is left to happen, and the simulation is not done.");
            Now = due.At;
            act();
        }
    }
}
