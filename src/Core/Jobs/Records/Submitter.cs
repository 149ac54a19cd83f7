using OllamaMax.Security;

namespace OllamaMax.Jobs.Records;

/// <summary>Who has submitted something that makes jobs later: they are submitted in the same name.</summary>
/// <param name="Tenant">As <see cref="Security.Principal.Tenant"/>.</param>
/// <param name="Principal">As <see cref="Security.Principal.Name"/>.</param>
/// <param name="Key">What its key may.</param>
/// <param name="RequestId">What its client saw in <c>x-request-id</c>.</param>
/// <param name="TraceParent">W3C <c>traceparent</c> of the request; null where it is not traced.</param>
public sealed record Submitter(string Tenant, string Principal, KeyGrant Key, string RequestId, string? TraceParent)
{
    /// <summary>Who asks for a job in its name.</summary>
    public Principal AsPrincipal() => Key.Principal(Tenant, Principal);
}
