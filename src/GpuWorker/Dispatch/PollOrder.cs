using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Dispatch;

/// <summary>
/// The queues that are to be looked into: interactive ones first, and of those the one that came longest ago. A queue that comes again stands behind
/// the others, so that a model with a lasting backlog leaves other models their turn. For any thread.
/// </summary>
internal sealed class PollOrder
{
    private readonly Lock _lock = new();
    private readonly OrderedDictionary<(string Model, Band Band), string> _urls = [];

    /// <summary>There is something in it, or may be. One that is there already keeps its place and gets the newer address.</summary>
    public void Add(string model, Band band, string url)
    {
        lock (_lock)
            _urls[(model, band)] = url;
    }

    /// <summary>It was taken and has more. One that has come again meanwhile has an address no older than this.</summary>
    public void PutBack(string model, Band band, string url)
    {
        lock (_lock)
            _urls.TryAdd((model, band), url);
    }

    /// <summary>Null: none is there.</summary>
    public (string Model, Band Band, string Url)? Take()
    {
        lock (_lock)
        {
            if (_urls.Count == 0)
                return null;
            var ((model, band), url) = _urls.MinBy(entry => entry.Key.Band);
            _urls.Remove((model, band));
            return (model, band, url);
        }
    }
}
