using OllamaMax.Bench.Reporting;

namespace OllamaMax.Bench.Placement;

/// <summary>What the requests of one simulation met.</summary>
internal sealed class SimulationResult
{
    private long _known;
    private long _warm;

    /// <summary>Seconds from a request's arrival to its first token.</summary>
    public Samples FirstToken { get; } = new();

    /// <summary>Seconds from a request's arrival until a worker has a slot for it.</summary>
    public Samples Slot { get; } = new();

    /// <summary>Of the tokens that some worker had read before, the share that the job's own had.</summary>
    public double HitRate => (double)_warm / _known;

    /// <summary>Shares of their slots that workers had in use: the 99th percentile over the mean.</summary>
    public double Imbalance { get; private set; }

    /// <summary>Share of all slots in use.</summary>
    public double Load { get; private set; }

    /// <summary>Pushes that were refused, for each request.</summary>
    public double Refused { get; private set; }

    /// <summary>Share of requests that went through the queue.</summary>
    public double Queued { get; private set; }

    public void Add(SimulatedJob job)
    {
        _known += job.KnownTokens;
        _warm += Math.Min(job.WarmTokens, job.KnownTokens);
        FirstToken.Add((job.FirstTokenAt - job.ArrivedAt).TotalSeconds);
        Slot.Add((job.StartedAt - job.ArrivedAt).TotalSeconds);
    }

    public void End(SimulatedFleet fleet, IReadOnlyCollection<SimulatedEdge> edges, double requests, TimeSpan now)
    {
        double[] shares = [.. fleet.Workers.Select(worker => worker.BusySeconds / worker.Slots / now.TotalSeconds)];
        Load = fleet.Workers.Sum(worker => worker.BusySeconds) / fleet.Workers.Sum(worker => worker.Slots) / now.TotalSeconds;
        Imbalance = new Samples(shares).P99 / shares.Average();
        Refused = edges.Sum(edge => edge.Refused) / requests;
        Queued = edges.Sum(edge => edge.Queued) / requests;
    }
}
