using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;
using OllamaMax.Jobs.Records;
using OllamaMax.Security;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>From a request to what is kept of whoever made it, and back when its jobs are made.</summary>
internal static class Submitters
{
    public static Submitter Of(HttpContext context)
    {
        RequestInfo info = RequestInfo.Of(context);
        Principal caller = RequestInfo.CallerOf(context);
        return new(caller.Tenant, caller.Name, KeyGrant.Of(caller), info.Id, info.TraceParent);
    }

    /// <summary>As if it asked now.</summary>
    public static RequestInfo InfoOf(Submitter submitter) => new()
    {
        Id = submitter.RequestId,
        Arrived = 0,
        TraceParent = submitter.TraceParent,
        Principal = submitter.AsPrincipal(),
    };
}
