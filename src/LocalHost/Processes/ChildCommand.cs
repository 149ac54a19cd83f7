namespace OllamaMax.LocalHost.Processes;

/// <summary>What is started: a program, its arguments, and what its environment has beyond ours (null removes a variable).</summary>
internal sealed record ChildCommand(string FileName, IReadOnlyList<string> Arguments)
{
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();
}
