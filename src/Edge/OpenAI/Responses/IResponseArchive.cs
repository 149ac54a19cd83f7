using Microsoft.AspNetCore.Http;
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

    /// <summary>Takes it on as a background job, and answers: with the response as it is then, or with its stream.</summary>
    Task RunAsync(HttpContext context, InferenceRequest inference, StoredResponse response, bool isStream);
}
