using OllamaMax.Security;

namespace OllamaMax.Edge.Http;

/// <summary>Endpoint metadata: what the caller must be allowed to.</summary>
public sealed record RequiredPermission(Permissions Permissions);
