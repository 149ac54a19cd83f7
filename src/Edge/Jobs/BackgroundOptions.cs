using System.ComponentModel.DataAnnotations;
using OllamaMax.Diagnostics;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Edge.Jobs;

/// <summary>Background jobs; from the configuration section <c>OllamaMax:Jobs</c>.</summary>
public sealed class BackgroundOptions : IValidatableObject
{
    public const string Section = "OllamaMax:Jobs";

    /// <summary>What a job may take from its acceptance to its end, waiting included.</summary>
    [TimeSpanRange("00:00:01", "30.00:00:00")]
    public TimeSpan Deadline { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Jobs of one model that may be under way, in the whole cluster; what comes then is refused with 503 and a Retry-After.</summary>
    [Range(0, 10_000_000)]
    public int MaxBacklog { get; set; } = 10_000;

    /// <summary>How long prompt and output are kept after the end; zero stores nothing beyond it.</summary>
    [TimeSpanRange("00:00:00", "365.00:00:00")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How long status and figures are kept after the end, at least.</summary>
    [TimeSpanRange("00:00:01", "365.00:00:00")]
    public TimeSpan FiguresKept { get; set; } = TimeSpan.FromHours(24);

    /// <summary>A worker that does not renew its hold on a job for this long has lost it. Storage counts whole seconds.</summary>
    [TimeSpanRange("00:00:01", "00:10:00")]
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>A worker whose engine makes no step for this long does not renew. The longest step that is no hang: a large batch of a prompt on a slow CPU.</summary>
    [TimeSpanRange("00:00:01", "00:10:00")]
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// For so long after it was queued a job is kept from a worker that has failed it, or that runs more jobs of its strategy than another one, where another one holds the model. Zero: not at all.
    /// </summary>
    [TimeSpanRange("00:00:00", "00:10:00")]
    public TimeSpan ChoosyFor { get; set; } = TimeSpan.FromSeconds(6);

    /// <summary>Attempts that said themselves that they failed before a job is set aside.</summary>
    [Range(1, 100)]
    public int MaxFailures { get; set; } = 3;

    /// <summary>Crashes of the engine under a job, the last one without a new token, before it is set aside: it kills its workers.</summary>
    [Range(1, 100)]
    public int MaxCrashes { get; set; } = 2;

    /// <summary>Attempts in a row that began and were lost without one new token before a job is set aside: it kills its workers.</summary>
    [Range(1, 100)]
    public int MaxLossesInPlace { get; set; } = 2;

    /// <summary>Lost attempts in all before a job is set aside.</summary>
    [Range(1, 1000)]
    public int MaxLosses { get; set; } = 10;

    /// <summary>How long the record of an interactive job that was set aside is kept: ids, tenant, model, reason, attempts.</summary>
    [TimeSpanRange("00:00:01", "365.00:00:00")]
    public TimeSpan PoisonKept { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How long its prompt is kept, so that it can be queued again; zero, as is the default: not at all.</summary>
    [TimeSpanRange("00:00:00", "365.00:00:00")]
    public TimeSpan PoisonPromptKept { get; set; } = TimeSpan.Zero;

    /// <summary>How often workers are told again of what waits, as a nudge may be lost; completions are looked for at least as often while jobs are under way.</summary>
    [TimeSpanRange("00:00:00.050", "00:01:00")]
    public TimeSpan NudgeEvery { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How often an output is looked at while somebody follows it.</summary>
    [TimeSpanRange("00:00:00.050", "00:00:30")]
    public TimeSpan FollowInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Whether this process takes completions off their queue; not where a queue trigger does.</summary>
    public bool TakesCompletions { get; set; } = true;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Lease.Ticks % TimeSpan.TicksPerSecond != 0)
            yield return new($"{nameof(Lease)} is {Lease}; storage takes whole seconds.");
    }

    internal RecordPolicy Policy => new()
    {
        Retention = Retention,
        FiguresKept = FiguresKept,
        Poison = new() { MaxFailures = MaxFailures, MaxCrashes = MaxCrashes, MaxLossesInPlace = MaxLossesInPlace, MaxLosses = MaxLosses },
    };
}
