using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Dispatch;

/// <summary>
/// The queues that are to be looked into: interactive ones first; those of which something is known and those that are only looked into now and then by turns, so that neither waits
/// for all of the other; and the one that came longest ago. A queue that comes again stands behind the others, so that a model with a lasting backlog leaves other models their turn.
/// For any thread.
/// </summary>
internal sealed class PollOrder
{
    private readonly Lock _lock = new();
    private readonly OrderedDictionary<(string Model, Band Band), string> _asked = [];
    private readonly OrderedDictionary<(string Model, Band Band), string> _unasked = [];
    private bool _isUnaskedNext;

    /// <summary>There is something in it, somebody says. One that is there already keeps its place and gets the newer address.</summary>
    public void Add(string model, Band band, string url)
    {
        lock (_lock)
        {
            _unasked.Remove((model, band));
            _asked[(model, band)] = url;
        }
    }

    /// <summary>There may be something in it. One that is there already keeps its place and gets the newer address.</summary>
    public void AddUnasked(string model, Band band, string url)
    {
        lock (_lock)
        {
            var queues = _asked.ContainsKey((model, band)) ? _asked : _unasked;
            queues[(model, band)] = url;
        }
    }

    /// <summary>It was taken and has more. One that has come again meanwhile has an address no older than this.</summary>
    public void PutBack(string model, Band band, string url)
    {
        lock (_lock)
        {
            _unasked.Remove((model, band), out string? newer);
            _asked.TryAdd((model, band), newer ?? url);
        }
    }

    /// <summary>Null: none is there.</summary>
    public (string Model, Band Band, string Url)? Take()
    {
        lock (_lock)
        {
            foreach (Band band in Enum.GetValues<Band>())
            {
                var (first, second) = _isUnaskedNext ? (_unasked, _asked) : (_asked, _unasked);
                if (Take(first, band) is { } taken)
                {
                    _isUnaskedNext = !_isUnaskedNext;
                    return taken;
                }
                if (Take(second, band) is { } other)
                    return other;
            }
            return null;
        }
    }

    private static (string Model, Band Band, string Url)? Take(OrderedDictionary<(string Model, Band Band), string> queues, Band band)
    {
        foreach (var ((model, of), url) in queues)
        {
            if (of != band)
                continue;
            queues.Remove((model, of));
            return (model, of, url);
        }
        return null;
    }
}
