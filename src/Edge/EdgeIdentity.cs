using System.Security.Cryptography;

namespace OllamaMax.Edge;

/// <summary>Who this edge is among the edges; new with each start, as nothing of an edge outlives its process.</summary>
public sealed class EdgeIdentity
{
    public string Id { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));

    public static string Version { get; } =
        typeof(EdgeIdentity).Assembly.GetName().Version?.ToString(3) ?? throw new InvalidOperationException("the assembly has no version");
}
