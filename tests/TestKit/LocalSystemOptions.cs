namespace OllamaMax.TestKit;

/// <summary>How a <see cref="LocalSystem"/> is started.</summary>
public sealed record LocalSystemOptions
{
    /// <summary>0 takes a free port.</summary>
    public int Port { get; init; }

    public int Workers { get; init; } = 1;

    /// <summary>Path or name, as <c>--model</c> takes it.</summary>
    public string? Model { get; init; }

    /// <summary>Folder of all state; null for one that is deleted at the end.</summary>
    public string? Data { get; init; }

    /// <summary>Put at the end of the command line.</summary>
    public IReadOnlyList<string> MoreArguments { get; init; } = [];

    /// <summary>What the environment has beyond the test's own; null removes a variable.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>Takes each line that it writes, errors included, on any thread; must not throw.</summary>
    public Action<string> OnLine { get; init; } = _ => { };

    /// <summary>Starts it through this command, <c>dotnet run</c> say, instead of directly.</summary>
    public IReadOnlyList<string>? Launcher { get; init; }
}
