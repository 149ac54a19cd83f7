namespace OllamaMax.Placement;

/// <summary>
/// Lines of tenants that are served in turn, by weight: start-time fair queueing (Goyal, Vin, Cheng: Start-time Fair Queueing, SIGCOMM 1996) where every
/// item costs the same. While tenants wait each is served in proportion to its weight; who comes newly is served next but for those that are as far
/// as he; who was away, or may not go, saves nothing up. Within a tenant it is first come, first served. Not safe for concurrent use.
/// </summary>
public sealed class FairQueue<T>
    where T : notnull
{
    private readonly Dictionary<string, Line> _lines = [];
    private double _virtualTime;
    private long _arrivals;

    public int Count { get; private set; }

    /// <summary>Those who have something waiting.</summary>
    public IEnumerable<string> Tenants => _lines.Where(line => line.Value.Items.Count > 0).Select(line => line.Key);

    public int CountOf(string tenant) => _lines.TryGetValue(tenant, out Line? line) ? line.Items.Count : 0;

    /// <param name="weight">Above 0; the last one that was given counts.</param>
    public void Add(string tenant, double weight, T item)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(weight);
        if (!_lines.TryGetValue(tenant, out Line? line))
            _lines.Add(tenant, line = new Line());
        if (line.Items.Count == 0)
            line.Start = Math.Max(line.Start, _virtualTime);
        line.Weight = weight;
        line.Items.AddLast((item, _arrivals++));
        Count++;
    }

    /// <summary>False where it does not wait.</summary>
    public bool Remove(string tenant, T item)
    {
        if (!_lines.TryGetValue(tenant, out Line? line))
            return false;
        for (LinkedListNode<(T Item, long Arrival)>? node = line.Items.First; node is not null; node = node.Next)
        {
            if (!node.Value.Item.Equals(item))
                continue;
            line.Items.Remove(node);
            Removed();
            return true;
        }
        return false;
    }

    /// <summary>Takes the next item out; false when there is none.</summary>
    /// <param name="mayGo">Tenants for whom it answers false are passed over.</param>
    public bool TryTake(Func<string, bool> mayGo, out T item)
    {
        Line? next = null;
        List<Line> passedOver = [];
        foreach (var (tenant, line) in _lines)
        {
            if (line.Items.Count == 0)
                continue;
            if (!mayGo(tenant))
                passedOver.Add(line);
            else if (next is null || (line.Start, line.First).CompareTo((next.Start, next.First)) < 0)
                next = line;
        }
        item = default!;
        if (next is null)
            return false;
        item = next.Items.First!.Value.Item;
        next.Items.RemoveFirst();
        _virtualTime = Math.Max(_virtualTime, next.Start);
        next.Start += 1 / next.Weight;
        foreach (Line line in passedOver)
            line.Start = Math.Max(line.Start, _virtualTime);
        Removed();
        return true;
    }

    private void Removed()
    {
        if (--Count == 0)
        {
            // Nobody waits: nobody is ahead of anybody.
            _lines.Clear();
            _virtualTime = 0;
            return;
        }
        // A tenant that is ahead of the others stays so when it comes back; the rest need not be remembered.
        foreach (string tenant in _lines.Where(line => line.Value.Items.Count == 0 && line.Value.Start <= _virtualTime).Select(line => line.Key).ToList())
            _lines.Remove(tenant);
    }

    private sealed class Line
    {
        public LinkedList<(T Item, long Arrival)> Items { get; } = new();

        public double Weight { get; set; }

        /// <summary>The virtual time at which its first item is due.</summary>
        public double Start { get; set; }

        public long First => Items.First!.Value.Arrival;
    }
}
