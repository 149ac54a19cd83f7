namespace OllamaMax.Security;

/// <summary>One administrative act, or one call that was denied: a line of the audit log.</summary>
/// <param name="At">When it was answered.</param>
/// <param name="Actor">The principal's name; empty where nobody was recognized.</param>
/// <param name="Credential">Its key's id or its token's subject; null where none was needed, or it was not recognized.</param>
/// <param name="Tenant">Empty where nobody was recognized.</param>
/// <param name="Action">Method and route, such as <c>DELETE /keys/{id}</c>.</param>
/// <param name="Subject">What it was done to, where there is one.</param>
/// <param name="From">The caller's address, and for whom it says to call, where it says so.</param>
/// <param name="Status">What was answered: 401 and 403 were denied.</param>
/// <param name="RequestId">As in <c>x-request-id</c>.</param>
public sealed record AuditRecord(
    DateTimeOffset At, string Actor, string? Credential, string Tenant, string Action, string? Subject, string From, int Status, string RequestId)
{
    /// <summary>What the issuer of the actor's token called them then (<see cref="Principal.DisplayName"/>); null: nothing, or a key.</summary>
    public string? ActorName { get; init; }
}
