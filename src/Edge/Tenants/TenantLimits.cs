using System.ComponentModel.DataAnnotations;

namespace OllamaMax.Edge.Tenants;

/// <summary>What one tenant may have of an edge. Each edge counts for itself: with several, a tenant may have it of each.</summary>
public sealed class TenantLimits
{
    /// <summary>
    /// Its interactive jobs that hold a slot or are about to, those in models' queues in storage counted in; more wait at the edge. And as many background jobs
    /// that run, in the whole cluster; more wait in their queue and let others pass.
    /// </summary>
    [Range(1, 1_000_000)]
    public int? MaxInFlight { get; set; }

    /// <summary>Its interactive jobs that may wait; what comes then is refused with 429 and a Retry-After.</summary>
    [Range(0, 1_000_000)]
    public int? MaxWaiting { get; set; }

    /// <summary>Its background jobs that may be under way, in the whole cluster; what comes then is refused with 429 and a Retry-After.</summary>
    [Range(0, 1_000_000)]
    public int? MaxBackground { get; set; }

    /// <summary>Its share of a model's slots while others wait too: twice the weight, twice the jobs.</summary>
    [Range(0.001, 1000)]
    public double? Weight { get; set; }

    /// <summary>Labels of the workers that its jobs may run on, such as <c>site=berlin</c>: where its data may go. Beside those that a model asks for.</summary>
    public string? Labels { get; set; }

    /// <summary>These, and what is not said here as <paramref name="others"/> say.</summary>
    internal TenantLimits Or(TenantLimits others) => new()
    {
        MaxInFlight = MaxInFlight ?? others.MaxInFlight,
        MaxWaiting = MaxWaiting ?? others.MaxWaiting,
        MaxBackground = MaxBackground ?? others.MaxBackground,
        Weight = Weight ?? others.Weight,
        Labels = Labels ?? others.Labels,
    };
}
