namespace OllamaMax.TestKit.Simulation;

/// <summary>
/// A machine in a <see cref="VirtualWorld"/>: its clock, which may be wrong, and everything that reaches it, which waits while it stands still (SIGSTOP, a frozen virtual
/// machine) and is lost when it is dead.
/// </summary>
public sealed class VirtualNode(VirtualWorld world, TimeSpan skew) : TimeProvider
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly List<Action> _held = [];

    public bool IsPaused { get; private set; }

    public bool IsDead { get; private set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => world.Now.Ticks;

    public override DateTimeOffset GetUtcNow() => Start + world.Now + skew;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new VirtualTimer(world, this, () => callback(state), dueTime, period);

    /// <summary>Something reaches the machine: at once, when it goes on, or never.</summary>
    public void Deliver(Action happening)
    {
        if (IsDead)
            return;
        if (IsPaused)
            _held.Add(happening);
        else
            happening();
    }

    public void Pause() => IsPaused = true;

    /// <summary>What has come meanwhile is there at once, in no order: a timer may be noticed after the answer that it was to interrupt, and before.</summary>
    public void Resume() => world.After(TimeSpan.Zero, GoOn);

    public void Kill() => IsDead = true;

    private void GoOn()
    {
        IsPaused = false;
        Action[] held = [.. _held];
        _held.Clear();
        world.Random.Shuffle(held);
        foreach (Action happening in held)
            Deliver(happening);
    }

    private sealed class VirtualTimer : ITimer
    {
        private readonly VirtualWorld _world;
        private readonly VirtualNode _node;
        private readonly Action _callback;
        private int _setting;

        public VirtualTimer(VirtualWorld world, VirtualNode node, Action callback, TimeSpan dueTime, TimeSpan period)
        {
            (_world, _node, _callback) = (world, node, callback);
            Change(dueTime, period);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            int setting = ++_setting;
            if (dueTime == Timeout.InfiniteTimeSpan)
                return true;
            _world.After(dueTime, () => _node.Deliver(() =>
            {
                if (setting != _setting)
                    return;
                if (period > TimeSpan.Zero)
                    Change(period, period);
                _callback();
            }));
            return true;
        }

        public void Dispose() => _setting++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
