namespace OllamaMax.LocalHost.Processes;

/// <summary>What is started: a program, its arguments, and what its environment has beyond ours (null removes a variable).</summary>
internal sealed record ChildCommand(string FileName, IReadOnlyList<string> Arguments)
{
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>Whether it is asked to end by the end of its input, and not by SIGTERM: who stops all of us sends that to every process of the group, and it is for us to say in which order they end.</summary>
    public bool EndsWithInput { get; init; }
}
