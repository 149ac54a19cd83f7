namespace OllamaMax.Core.Tests.Protocol;

/// <summary>Carries messages in virtual time, as badly as the weather is.</summary>
internal sealed class SimulatedNetwork(Weather weather, Random random)
{
    private static readonly TimeSpan Usual = TimeSpan.FromMilliseconds(5);

    private readonly PriorityQueue<Action, TimeSpan> _underWay = new();

    /// <summary>Nothing that is sent arrives before this, and what arrives meanwhile is lost.</summary>
    public TimeSpan DeafUntil { get; set; }

    public void Send(TimeSpan now, Action deliver)
    {
        bool isCalm = now >= Weather.Lasts;
        if (!isCalm && random.NextDouble() < weather.Drop)
            return;
        _underWay.Enqueue(deliver, now + Latency(isCalm));
        if (!isCalm && random.NextDouble() < weather.Double)
            _underWay.Enqueue(deliver, now + Latency(isCalm));
    }

    public void DeliverUntil(TimeSpan now)
    {
        while (_underWay.TryPeek(out Action? deliver, out TimeSpan due) && due <= now)
        {
            _underWay.Dequeue();
            if (due >= DeafUntil)
                deliver();
        }
    }

    private TimeSpan Latency(bool isCalm) =>
        !isCalm && random.NextDouble() < weather.Delay ? Usual + (TimeSpan.FromSeconds(1) * random.NextDouble()) : Usual;
}
