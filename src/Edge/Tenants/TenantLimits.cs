using System.ComponentModel.DataAnnotations;
using OllamaMax.Diagnostics;
using OllamaMax.Edge.Security.Limits;

namespace OllamaMax.Edge.Tenants;

/// <summary>
/// What one tenant may have. Where its jobs wait and run each edge counts for itself: with several, a tenant may have it of each. What is said of a minute, a day, a month or
/// of requests at a time, all edges count together.
/// </summary>
public sealed class TenantLimits : LimitSettings
{
    /// <summary>The tenant; null: the entry's name is. Names of settings cannot have all characters everywhere: no dash on a Linux function app.</summary>
    public string? Value { get; set; }

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

    /// <summary>
    /// How long its prompts and answers are kept after a job's end: of background jobs, strategies, batches, stored responses, and its files. Zero stores nothing; null: as
    /// everybody's (<see cref="Jobs.BackgroundOptions.Retention"/>), and its files until they are deleted.
    /// </summary>
    [TimeSpanRange("00:00:00", "365.00:00:00")]
    public TimeSpan? Retention { get; set; }

    /// <summary>How long its requests may have a model stay in memory at most, by a key that does not manage models; null: as long as they say.</summary>
    [TimeSpanRange("00:00:00", "365.00:00:00")]
    public TimeSpan? MaxKeepAlive { get; set; }

    /// <summary>These, and what is not said here as <paramref name="others"/> say.</summary>
    internal TenantLimits Or(TenantLimits others) => new()
    {
        MaxInFlight = MaxInFlight ?? others.MaxInFlight,
        MaxWaiting = MaxWaiting ?? others.MaxWaiting,
        MaxBackground = MaxBackground ?? others.MaxBackground,
        Weight = Weight ?? others.Weight,
        Labels = Labels ?? others.Labels,
        Retention = Retention ?? others.Retention,
        MaxKeepAlive = MaxKeepAlive ?? others.MaxKeepAlive,
        Usage = Usage.Or(others.Usage),
    };
}
