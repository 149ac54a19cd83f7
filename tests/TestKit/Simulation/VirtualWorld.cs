namespace OllamaMax.TestKit.Simulation;

/// <summary>Time that passes from event to event, and chance that is drawn from one seed: what happens in here happens again. One thread.</summary>
public sealed class VirtualWorld(int seed)
{
    private readonly PriorityQueue<Action, (TimeSpan At, long Number)> _events = new();
    private long _number;

    public Random Random { get; } = new(seed);

    public TimeSpan Now { get; private set; }

    public void After(TimeSpan delay, Action happening) => _events.Enqueue(happening, (Now + delay, _number++));

    /// <summary>Has everything happen that is due by then, what follows from it included.</summary>
    public void RunUntil(TimeSpan end)
    {
        // Continuations are to run where they are set free, not where a test's context would have them.
        SynchronizationContext? context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            while (_events.TryPeek(out _, out var next) && next.At <= end)
            {
                Action happening = _events.Dequeue();
                Now = next.At;
                happening();
            }
            Now = end;
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    public void Run(TimeSpan time) => RunUntil(Now + time);

    public bool Chance(double probability) => Random.NextDouble() < probability;

    public TimeSpan Between(double leastSeconds, double mostSeconds) => TimeSpan.FromSeconds(leastSeconds + (Random.NextDouble() * (mostSeconds - leastSeconds)));
}
