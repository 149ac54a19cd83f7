namespace OllamaMax.Jobs.Records;

/// <summary>When a background job is given up, and how long its record and content are kept.</summary>
public sealed record RecordPolicy
{
    /// <summary>Attempts that said themselves that they failed before the job is set aside.</summary>
    public int MaxFailures { get; init; } = 3;

    /// <summary>
    /// Attempts in a row that were lost without one new token before the job is taken for what killed its workers, and set aside.
    /// </summary>
    public int MaxLossesInPlace { get; init; } = 2;

    /// <summary>Lost attempts in all, whatever they brought: boxes are switched off, but not for ever.</summary>
    public int MaxLosses { get; init; } = 10;

    /// <summary>How long prompt and output are kept after the end; zero: not at all.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long status and figures are kept after the end, at least.</summary>
    public TimeSpan FiguresKept { get; init; } = TimeSpan.FromHours(24);

    /// <summary>A queued job that nobody has claimed for this long gets another message: the first may never have been put.</summary>
    public TimeSpan QueueAgain { get; init; } = TimeSpan.FromMinutes(10);
}
