namespace OllamaMax.Jobs.Records;

/// <summary>When a background job is given up, and how long its record and content are kept.</summary>
public sealed record RecordPolicy
{
    public PoisonRule Poison { get; init; } = new();

    /// <summary>How long prompt and output are kept after the end; zero: not at all.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long status and figures are kept after the end, at least.</summary>
    public TimeSpan FiguresKept { get; init; } = TimeSpan.FromHours(24);

    /// <summary>A queued job that nobody has claimed for this long gets another message: the first may never have been put.</summary>
    public TimeSpan QueueAgain { get; init; } = TimeSpan.FromMinutes(10);
}
