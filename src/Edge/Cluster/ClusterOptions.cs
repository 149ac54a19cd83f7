using System.ComponentModel.DataAnnotations;
using OllamaMax.Cluster;
using OllamaMax.Diagnostics;
using OllamaMax.Storage.Cluster;

namespace OllamaMax.Edge.Cluster;

/// <summary>Leader and membership; from the configuration section <c>OllamaMax:Cluster</c>.</summary>
public sealed class ClusterOptions : IValidatableObject
{
    public const string Section = "OllamaMax:Cluster";

    /// <summary>The longest that is made is good for an hour.</summary>
    private static readonly TimeSpan JoinTokensKept = TimeSpan.FromDays(1);

    /// <summary>
    /// How long the lease on being the leader lasts without a renewal, in whole seconds: storage takes 15 to 60. A leader that was killed is replaced after this and
    /// one tick at the latest.
    /// </summary>
    [TimeSpanRange("00:00:15", "00:01:00")]
    public TimeSpan LeaseTime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often the lease is renewed or tried for, and the leader looks what there is to do.</summary>
    [TimeSpanRange("00:00:00.100", "00:00:30")]
    public TimeSpan Tick { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether this process ticks by itself; not where a timer trigger does.</summary>
    public bool Ticks { get; set; } = true;

    /// <summary>How often the leader lists the heartbeats where no request needs them anyway.</summary>
    [TimeSpanRange("00:00:00.100", "00:10:00")]
    public TimeSpan ListEvery { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How often background jobs are gone through for what is due (<see cref="Jobs.JobTending.SweepAsync"/>).</summary>
    [TimeSpanRange("00:00:01", "1.00:00:00")]
    public TimeSpan SweepEvery { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a worker has been gone when the copies that it had are made elsewhere: it may only have been started anew.</summary>
    [TimeSpanRange("00:00:00", "1.00:00:00")]
    public TimeSpan ReplaceAfter { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How often blobs without an owner are looked for.</summary>
    [TimeSpanRange("00:00:01", "1.00:00:00")]
    public TimeSpan OrphansEvery { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How often what was used on days that are over is rolled up.</summary>
    [TimeSpanRange("00:00:01", "1.00:00:00")]
    public TimeSpan UsageEvery { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long a download of a model is kept that nobody goes on with.</summary>
    [TimeSpanRange("00:00:00", "365.00:00:00")]
    public TimeSpan DownloadsKept { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How long an upload is kept that nobody completes.</summary>
    [TimeSpanRange("00:00:00", "365.00:00:00")]
    public TimeSpan UploadsKept { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How long the output of a background job is kept that has no record.</summary>
    [TimeSpanRange("00:00:00", "365.00:00:00")]
    public TimeSpan OutputsKept { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long the payload of an interactive job is kept whose edge died. No job takes longer than a day (<see cref="EdgeOptions.JobDeadline"/>).</summary>
    [TimeSpanRange("00:00:00", "365.00:00:00")]
    public TimeSpan PayloadsKept { get; set; } = TimeSpan.FromHours(25);

    /// <summary>How long content of models is kept that no name stands for any more. A job that waits may have asked for what its name stood for before: it is longer where <see cref="Jobs.BackgroundOptions.Deadline"/> is.</summary>
    [TimeSpanRange("00:00:00", "365.00:00:00")]
    public TimeSpan ContentKept { get; set; } = TimeSpan.FromHours(25);

    /// <param name="deadline">Of background jobs.</param>
    internal OrphanWaits OrphanWaits(TimeSpan deadline) => new(DownloadsKept, UploadsKept, OutputsKept, PayloadsKept,
        ContentKept > deadline ? ContentKept : deadline + TimeSpan.FromHours(1), ClusterState.GoneKept, JoinTokensKept);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (LeaseTime.Ticks % TimeSpan.TicksPerSecond != 0)
            yield return new($"{nameof(LeaseTime)} is {LeaseTime}; storage takes whole seconds.");
        if (Tick > LeaseTime / 2)
            yield return new($"{nameof(Tick)} is {Tick}; it must be at most half of {nameof(LeaseTime)}, {LeaseTime}, or the lease runs out between two.");
    }
}
