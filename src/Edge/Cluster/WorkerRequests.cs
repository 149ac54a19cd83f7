using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Cluster;

/// <summary>What workers' own calls have in common.</summary>
internal static class WorkerRequests
{
    public static async Task<Result<T>> ReadAsync<T>(HttpContext context, RequestBodyReader bodies, JsonTypeInfo<T> type)
        where T : class
    {
        if ((await JsonRequest.ReadAsync(context, bodies)).Failed(out ApiError? error, out JsonRequest? body))
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
