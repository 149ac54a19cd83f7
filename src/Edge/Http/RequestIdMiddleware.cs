using System.Buffers;
using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OllamaMax.Diagnostics;
using OllamaMax.Edge.Anthropic;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Http;

/// <summary>
/// Gives every request an id, the client's own if it sent a usable one, and puts it on the answer, into the logging scope and onto
/// the trace. The outermost of all, so that no answer leaves without one.
/// </summary>
internal sealed class RequestIdMiddleware(RequestDelegate next, TimeProvider time, ILogger<RequestIdMiddleware> logger)
{
    public const string Header = "x-request-id";

    /// <summary>Anthropic's name for it.</summary>
    private const string OtherHeader = "request-id";

    private const int MaxLength = 128;

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:");

    private static readonly Func<ILogger, string, IDisposable?> Scope = LoggerMessage.DefineScope<string>("request {RequestId}");

    public async Task InvokeAsync(HttpContext context)
    {
        string? sent = context.Request.Headers[Header];
        string id = IsUsable(sent) ? sent! : JobId.New(time);
        string? parent = context.Request.Headers.TraceParent;
        bool isTraced = ActivityContext.TryParse(parent, null, isRemote: true, out ActivityContext remote);
        // ASP.NET's own activity is never recorded: as a parent it would have every trace left out that a client did not begin itself.
        if (!isTraced && Activity.Current is { Recorded: false })
            Activity.Current = null;
        using Activity? activity = Telemetry.Source.StartActivity("request", ActivityKind.Server, isTraced ? remote : default);
        activity?.SetTag("request.id", id);
        using IDisposable? scope = Scope(logger, id);

        context.TraceIdentifier = id;
        context.Response.Headers[Header] = id;
        // Answers repeat what models and clients wrote: nobody is to take one for a page.
        context.Response.Headers.XContentTypeOptions = "nosniff";
        if (context.Request.IsHttps)
            context.Response.Headers.StrictTransportSecurity = "max-age=31536000";
        if (ErrorShape.Of(context.Request) is AnthropicErrors)
            context.Response.Headers[OtherHeader] = id;
        context.Features.Set(new RequestInfo
        {
            Id = id,
            Arrived = time.GetTimestamp(),
            TraceParent = Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: { } current } ? current : isTraced ? parent : null,
        });
        await next(context);
        activity?.SetTag("http.response.status_code", context.Response.StatusCode);
    }

    private static bool IsUsable(string? id) =>
        id is { Length: > 0 and <= MaxLength } && !id.AsSpan().ContainsAnyExcept(Allowed);
}
