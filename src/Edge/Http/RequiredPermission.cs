using OllamaMax.Security;

namespace OllamaMax.Edge.Http;

/// <summary>Endpoint metadata: what the caller must be allowed to.</summary>
public sealed record RequiredPermission(Permissions Permissions)
{
    /// <summary>Each call is an act for the audit log, even where it changes nothing or is everybody's.</summary>
    public bool IsAct { get; init; }
}
