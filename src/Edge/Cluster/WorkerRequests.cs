using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Cluster;

/// <summary>What workers' own calls have in common.</summary>
internal static class WorkerRequests
{
    /// <summary>Bytes of a body, which is read before its sender is known. The largest names the queues of 1000 models, in 75 kB.</summary>
    private const int LargestBody = 128 << 10;

    public static async Task<Result<T>> ReadAsync<T>(HttpContext context, RequestBodyReader bodies, JsonTypeInfo<T> type)
        where T : class
    {
        if ((await JsonRequest.ReadAsync(context, bodies, LargestBody)).Failed(out ApiError? error, out JsonRequest? body))
            return error;
        using (body)
        {
            try
            {
                return JsonSerializer.Deserialize(body.Bytes, type) is { } value ? value : ApiError.BadRequest("the body must be a JSON object");
            }
            catch (JsonException e)
            {
                return ApiError.BadRequest($"{e.Path?.TrimStart('$', '.')}: {e.Message}");
            }
        }
    }

    public static string? Bearer(HttpContext context)
    {
        const string scheme = "Bearer ";
        string header = context.Request.Headers.Authorization.ToString();
        return header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) ? header[scheme.Length..].Trim() : null;
    }
}
