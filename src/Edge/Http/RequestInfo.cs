using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using OllamaMax.Security;

namespace OllamaMax.Edge.Http;

/// <summary>What the pipeline knows of a request; a feature of its HttpContext.</summary>
internal sealed class RequestInfo
{
    /// <summary>In <c>x-request-id</c>, in every log line, in the job.</summary>
    public required string Id { get; init; }

    /// <summary>Timestamp (TimeProvider's) of its arrival.</summary>
    public required long Arrived { get; init; }

    /// <summary>W3C traceparent under which jobs of this request are traced; null where it is not traced.</summary>
    public string? TraceParent { get; init; }

    /// <summary>Null until authentication has found one; on anonymous paths it stays so.</summary>
    public Principal? Principal { get; set; }

    /// <summary>For the audit log: what is acted on, where the route does not say.</summary>
    public string? Subject { get; set; }

    /// <summary>The request's principal, where the endpoint is for authenticated callers only.</summary>
    public static Principal CallerOf(HttpContext context) =>
        Of(context).Principal ?? throw new InvalidOperationException("The endpoint is for authenticated callers only.");

    public static RequestInfo Of(HttpContext context) =>
        context.Features.Get<RequestInfo>() ?? throw new UnreachableException("The request id middleware did not run.");
}
