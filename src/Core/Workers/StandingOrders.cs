using OllamaMax.Streaming;

namespace OllamaMax.Workers;

/// <summary>
/// What the leader has ordered a worker to be. An order of an older epoch than the worker has heard of is that of somebody who does not know yet that it leads no
/// more. A worker that starts anew has heard of none: the leader, who sees its reports, tells it again.
/// </summary>
public sealed class StandingOrders
{
    private readonly Lock _lock = new();
    private long _epoch;
    private volatile bool _rests;

    /// <summary>It has changed. Called on the caller's thread.</summary>
    public event Action? Changed;

    /// <summary>Nothing new is to be taken; what runs is finished.</summary>
    public bool Rests => _rests;

    /// <summary>Whether an order of this epoch is that of the leader, as far as is known here; older ones are none from then on.</summary>
    public bool Admits(long epoch)
    {
        lock (_lock)
        {
            if (epoch < _epoch)
                return false;
            _epoch = epoch;
            return true;
        }
    }

    /// <summary>False: refused, it comes from an older epoch.</summary>
    public bool Take(DirectiveMessage directive)
    {
        lock (_lock)
        {
            if (directive.Epoch < _epoch)
                return false;
            _epoch = directive.Epoch;
            if (_rests == directive.Drain)
                return true;
            _rests = directive.Drain;
        }
        Changed?.Invoke();
        return true;
    }
}
