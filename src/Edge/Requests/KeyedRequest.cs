using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Idempotency;

namespace OllamaMax.Edge.Requests;

/// <summary>A translated request, and the key under which its answer is kept.</summary>
internal sealed record KeyedRequest<T>(T Request, IdempotencyKey? Key);

internal static class KeyedRequest
{
    /// <summary>Reads a request's body, has it translated, and reads its key.</summary>
    public static async ValueTask<Result<KeyedRequest<T>>> ReadAsync<T>(HttpContext context, RequestBodyReader bodies, Func<JsonFields, Result<T>> translate)
        where T : class
    {
        if ((await JsonRequest.ReadAsync(context, bodies)).Failed(out ApiError? error, out JsonRequest? body))
            return error;
        using (body)
        {
            if (translate(body.Fields(new())).Failed(out error, out T? request)
                || !IdempotencyKey.TryRead(context, body.Bytes, out IdempotencyKey? key, out error))
            {
                return error;
            }
            return new KeyedRequest<T>(request, key);
        }
    }
}
