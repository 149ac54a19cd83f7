namespace OllamaMax.Bench;

/// <summary>What the command line asks for.</summary>
internal sealed record BenchOptions
{
    /// <summary>A few seconds on tiny inputs: shows that the bench works, its figures mean nothing.</summary>
    public bool Quick { get; init; }

    /// <summary>The engine on a GPU, all of the model in its memory.</summary>
    public bool Gpu { get; init; }

    /// <summary>With a model that is worth a GPU.</summary>
    public bool Large { get; init; }

    /// <summary>The one section to measure; null: all.</summary>
    public string? Only { get; init; }

    /// <summary>How often rates and the engine's figures are taken, or workers killed; null: as often as the bench thinks fit.</summary>
    public int? Repeats { get; init; }

    /// <summary>No more workers are killed after this.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.MaxValue;

    /// <summary>Folder that the result files go to; empty: nowhere.</summary>
    public required string Results { get; init; }

    /// <summary>The command as typed, for the result.</summary>
    public required string Command { get; init; }

    /// <summary>Takes a line for a person who waits.</summary>
    public required Action<string> Report { get; init; }

    public bool Wants(string section) => Only is null || Only == section;
}
