namespace OllamaMax.Edge.Security.Audit;

/// <summary>
/// Endpoint metadata: each call that succeeds is an act for the audit log, although no permission guards it. One that fails is not: anybody may make any number of those.
/// </summary>
internal sealed class ActOnceDone;
