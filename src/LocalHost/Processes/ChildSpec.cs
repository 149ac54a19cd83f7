namespace OllamaMax.LocalHost.Processes;

/// <summary>A child that is to be kept running.</summary>
internal sealed record ChildSpec
{
    /// <summary>Stands before its lines in the log.</summary>
    public required string Name { get; init; }

    /// <summary>Asked before every start: ports are known after the first, tokens are good for one.</summary>
    public required Func<CancellationToken, ValueTask<ChildCommand>> Command { get; init; }

    /// <summary>Told its process id at every start, before its first line.</summary>
    public Action<int> OnStarted { get; init; } = _ => { };

    /// <summary>Takes its lines, on any thread; must not throw.</summary>
    public required Action<string> OnLine { get; init; }

    /// <summary>Asked at each end: whether it is to run again.</summary>
    public Func<bool> StartAgain { get; init; } = () => true;

    /// <summary>All of us end: what ends by itself from then on, as a signal has reached it too, is not run again.</summary>
    public CancellationToken AllEnd { get; init; }

    /// <summary>How long it may take to end when asked to.</summary>
    public required TimeSpan StopGrace { get; init; }
}
