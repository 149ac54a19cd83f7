namespace OllamaMax.Workers;

/// <summary>The tokens that a worker signs with its own key (ES256) to renew its capabilities; <c>sub</c> is its id.</summary>
public static class WorkerTokens
{
    public const string Audience = "ollamamax-edge";

    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    /// <summary>How wrong a box's clock may be.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);
}
