namespace OllamaMax.Edge.Requests;

/// <summary>Whether the model is free to call a tool or not. (Where it must not, a request has no tools.)</summary>
internal sealed record ToolChoice
{
    public static readonly ToolChoice Free = new();

    /// <summary>The answer must be calls, held to it by a grammar.</summary>
    public bool IsRequired { get; init; }

    /// <summary>With <see cref="IsRequired"/>: the only tool that may be called; null: any.</summary>
    public string? Name { get; init; }

    /// <summary>One call at most. A grammar knows that, and what comes after the first is left out of the answer.</summary>
    public bool IsSingle { get; init; }
}
