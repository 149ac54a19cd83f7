using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Edge.Http;
using OllamaMax.Security;

namespace OllamaMax.Edge.Security.Audit;

/// <summary>
/// Has administrative acts and denied calls recorded, just before their answer leaves: whoever was answered finds the act in the log. An act is what changes something
/// and is not everybody's: a call that needs one of some permissions and is no GET, or one of an endpoint that says so (<see cref="ActOnceDone"/>).
/// </summary>
internal sealed class AuditMiddleware(RequestDelegate next, AuditLog log, TimeProvider time)
{
    private const Permissions Administrative =
        Permissions.ManageModels | Permissions.ManageCluster | Permissions.ManageKeys | Permissions.AllJobs | Permissions.JoinWorkers;

    private const int LongestText = 200;

    public Task InvokeAsync(HttpContext context)
    {
        context.Response.OnStarting(static state => ((Answering)state).RecordAsync(), new Answering(this, context));
        return next(context);
    }

    private Task RecordAsync(HttpContext context)
    {
        if (context.Response.StatusCode is StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden)
            log.NoteDenied(Record(context));
        else if (IsAct(context))
            return log.WriteAsync(Record(context));
        return Task.CompletedTask;
    }

    private static bool IsAct(HttpContext context) => context.GetEndpoint()?.Metadata is { } metadata
        && (metadata.GetMetadata<RequiredPermission>() is { } required
            ? required.IsAct || (IsChange(context.Request.Method) && (required.Permissions & Administrative) != 0)
            : metadata.GetMetadata<ActOnceDone>() is not null && context.Response.StatusCode < StatusCodes.Status400BadRequest);

    private static bool IsChange(string method) => !HttpMethods.IsGet(method) && !HttpMethods.IsHead(method);

    private AuditRecord Record(HttpContext context)
    {
        RequestInfo info = RequestInfo.Of(context);
        // The route's pattern: a path may hold anything, and where nothing matches it is the caller's own text.
        string route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? Cut(KeyInPath.Shown(context.Request.Path));
        string? subject = info.Subject ?? (context.Request.RouteValues.Count > 0 ? string.Join(", ", context.Request.RouteValues.Values) : null);
        return new(
            time.GetUtcNow(),
            info.Principal?.Name ?? "",
            info.Principal?.Credential,
            info.Principal?.Tenant ?? "",
            $"{Cut(context.Request.Method)} {route}",
            subject is null ? null : Cut(subject),
            From(context),
            context.Response.StatusCode,
            info.Id)
        {
            ActorName = info.Principal?.DisplayName,
        };
    }

    /// <summary>Behind a front that is its address, with what the front says for whom: nobody here can tell a front from somebody who writes that header himself.</summary>
    private static string From(HttpContext context)
    {
        string from = context.Connection.RemoteIpAddress?.ToString() ?? "";
        return context.Request.Headers["X-Forwarded-For"].ToString() is { Length: > 0 } other ? $"{from} for {Cut(other)}" : from;
    }

    private static string Cut(string text) => text.Length <= LongestText ? text : text[..LongestText] + "…";

    private sealed class Answering(AuditMiddleware audit, HttpContext context)
    {
        public Task RecordAsync() => audit.RecordAsync(context);
    }
}
