using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace OllamaMax.Edge.Http;

/// <summary>Writes errors in the shape of the API that was called.</summary>
internal static class ErrorAnswer
{
    /// <summary>The response must not have started.</summary>
    public static Task WriteAsync(HttpContext context, ApiError error)
    {
        ErrorShape shape = ErrorShape.Of(context.Request);
        HttpResponse response = context.Response;
        response.StatusCode = shape.StatusOf(error);
        response.ContentType = "application/json; charset=utf-8";
        if (error.RetryAfter is { } wait)
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString();

        ArrayBufferWriter<byte> body = new();
        shape.Write(body, error, RequestInfo.Of(context).Id);
        response.ContentLength = body.WrittenCount;
        return response.Body.WriteAsync(body.WrittenMemory, context.RequestAborted).AsTask();
    }
}
