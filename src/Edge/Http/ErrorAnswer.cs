using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace OllamaMax.Edge.Http;

/// <summary>Writes errors in the API's shape: Ollama's <c>{"error":"…"}</c>.</summary>
internal static class ErrorAnswer
{
    /// <summary>The response must not have started.</summary>
    public static Task WriteAsync(HttpContext context, ApiError error)
    {
        HttpResponse response = context.Response;
        response.StatusCode = error.Status;
        response.ContentType = "application/json; charset=utf-8";
        if (error.RetryAfter is { } wait)
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString();

        ArrayBufferWriter<byte> body = new();
        Write(body, error.Message);
        response.ContentLength = body.WrittenCount;
        return response.Body.WriteAsync(body.WrittenMemory, context.RequestAborted).AsTask();
    }

    public static void Write(IBufferWriter<byte> output, string message)
    {
        using Utf8JsonWriter json = new(output, Json.Writer);
        json.WriteStartObject();
        json.WriteString("error"u8, message);
        json.WriteEndObject();
    }
}
