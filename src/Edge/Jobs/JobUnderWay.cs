namespace OllamaMax.Edge.Jobs;

/// <summary>A background job that has not ended, as far as bounds are about it.</summary>
/// <param name="Model">Digest of the weights.</param>
internal readonly record struct JobUnderWay(string Model, string Tenant, bool IsRunning)
{
    public string? SpreadOf { get; init; }

    /// <summary>With <see cref="SpreadOf"/>: who runs it.</summary>
    public string? WorkerId { get; init; }
}
