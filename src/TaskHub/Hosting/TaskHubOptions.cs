using System.ComponentModel.DataAnnotations;
using OllamaMax.Diagnostics;

namespace OllamaMax.TaskHub.Hosting;

/// <summary>The local task hub.</summary>
public sealed class TaskHubOptions
{
    /// <summary>Activities that run at a time.</summary>
    [Range(1, 10_000)]
    public int MaxActivities { get; set; } = 64;

    /// <summary>While something is open: how often storage is looked through for what other processes have put there, and the lease asked for by who has not got it.</summary>
    [TimeSpanRange("00:00:00.050", "00:10:00")]
    public TimeSpan SweepEvery { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>While nothing is: how often that is found out. What this process is asked for wakes it at once.</summary>
    [TimeSpanRange("00:00:00.050", "1.00:00:00")]
    public TimeSpan LookEvery { get; set; } = TimeSpan.FromMinutes(10);
}
