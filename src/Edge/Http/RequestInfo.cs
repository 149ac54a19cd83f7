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

    public static RequestInfo Of(HttpContext context) =>
        context.Features.Get<RequestInfo>() ?? throw new UnreachableException("The request id middleware did not run.");
}
