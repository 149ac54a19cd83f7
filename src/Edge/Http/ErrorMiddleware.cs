using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OllamaMax.Security;

namespace OllamaMax.Edge.Http;

/// <summary>
/// Nothing leaks and nothing leaves without the API's shape: what escaped the endpoints becomes a 500 with the request id,
/// and the bare 404 and 405 of routing get a body.
/// </summary>
internal sealed partial class ErrorMiddleware(RequestDelegate next, ILogger<ErrorMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            if (RoutingError(context) is { } error)
                await ErrorAnswer.WriteAsync(context, error);
        }
        catch (Exception e) when (context.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException)
        {
            TimeSpan? limit = RequestLimit.ReachedBy(context);
            if (limit is null)
                LogClientLeft();
            else
                LogLimit(context.Request.Method, KeyInPath.Shown(context.Request.Path), limit.Value);
            if (limit is not null && context.Response.HasStarted)
                context.Abort(); // Its client is there, and would take what it has for all of it.
            else if (!context.Response.HasStarted)
                context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            await ErrorAnswer.WriteAsync(context, new(e.StatusCode, e.Message));
        }
        catch (Exception e) when (!context.Response.HasStarted && StorageError.Of(e) is { } error)
        {
            if (e is ContentKeyException missing)
                LogKeyMissing(missing.Key, context.Request.Method, KeyInPath.Shown(context.Request.Path));
            else
                LogStorageFailed(e, context.Request.Method, KeyInPath.Shown(context.Request.Path));
            await ErrorAnswer.WriteAsync(context, error);
        }
#pragma warning disable CA1031 // The outermost handler: whatever it is, the client gets an answer and the log the exception.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogUnexpected(e, context.Request.Method, KeyInPath.Shown(context.Request.Path));
            if (context.Response.HasStarted)
                context.Abort(); // An ended stream would look like a whole answer.
            else
                await ErrorAnswer.WriteAsync(context, new(500, $"internal error (request id {RequestInfo.Of(context).Id})"));
        }
    }

    private static ApiError? RoutingError(HttpContext context)
    {
        HttpResponse response = context.Response;
        if (response.HasStarted || response.ContentType is not null || response.ContentLength is not null)
            return null;
        return response.StatusCode switch
        {
            StatusCodes.Status404NotFound => new(404, $"path '{KeyInPath.Shown(context.Request.Path)}' not found"),
            StatusCodes.Status405MethodNotAllowed =>
                new(405, $"method {context.Request.Method} not allowed for '{KeyInPath.Shown(context.Request.Path)}', use {response.Headers.Allow}"),
            _ => null,
        };
    }

    [LoggerMessage(LogLevel.Debug, "The client left.")]
    private partial void LogClientLeft();

    [LoggerMessage(LogLevel.Warning, "{Method} {Path} was ended after {Limit}, the longest that this server lets a request last.")]
    private partial void LogLimit(string method, string path, TimeSpan limit);

    [LoggerMessage(LogLevel.Error, "Storage failed {Method} {Path}.")]
    private partial void LogStorageFailed(Exception exception, string method, string path);

    [LoggerMessage(LogLevel.Error, "The content key '{Key}' is missing for {Method} {Path}.")]
    private partial void LogKeyMissing(string key, string method, string path);

    [LoggerMessage(LogLevel.Error, "Unexpected failure of {Method} {Path}.")]
    private partial void LogUnexpected(Exception exception, string method, string path);
}
