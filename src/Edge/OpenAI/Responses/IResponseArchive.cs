using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Idempotency;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Edge.OpenAI.Responses;

/// <summary>The responses that clients can come back to.</summary>
internal interface IResponseArchive
{
    /// <summary>
    /// With its answer as it is now, also of one that is under way in the background. Null where the tenant has no such response, or not any more.
    /// </summary>
    /// <param name="id">Without its prefix.</param>
    Task<StoredResponse?> FindAsync(string id, string tenant, CancellationToken cancellationToken);

    /// <summary>Keeps a response that has its answer, for as long as is kept at all.</summary>
    Task KeepAsync(StoredResponse response, CancellationToken cancellationToken);

    /// <summary>Takes it on as a background job, once for each key, and answers: with the response as it is then, or with its stream.</summary>
    /// <param name="key">Null: the client has given none.</param>
    /// <param name="make">Makes it when its id is known; not called where it was taken on before.</param>
    Task RunAsync(HttpContext context, IdempotencyKey? key, Func<string, Task<Result<BackgroundResponse>>> make, bool isStream);
}

/// <param name="Inference">What to run.</param>
/// <param name="Response">What is kept beside the answer.</param>
internal sealed record BackgroundResponse(InferenceRequest Inference, StoredResponse Response);
