using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Idempotency;
using OllamaMax.Edge.OpenAI.Responses;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Edge.Tests.Support;

/// <summary>Stands where storage is: keeps responses, and remembers what was to run in the background.</summary>
internal sealed class MemoryArchive : IResponseArchive
{
    public ConcurrentDictionary<string, StoredResponse> Kept { get; } = [];

    public ConcurrentQueue<(InferenceRequest Inference, StoredResponse Response, bool IsStream)> Background { get; } = [];

    /// <summary>Thrown when something is to be kept, as if storage were broken.</summary>
    public Exception? Fault { get; set; }

    public Task<StoredResponse?> FindAsync(string id, string tenant, CancellationToken cancellationToken) =>
        Task.FromResult(Kept.TryGetValue(id, out StoredResponse? found) && found.Tenant == tenant ? found : null);

    public Task KeepAsync(StoredResponse response, CancellationToken cancellationToken)
    {
        if (Fault is not null)
            throw Fault;
        Kept[response.Id] = response;
        return Task.CompletedTask;
    }

    public async Task RunAsync(HttpContext context, IdempotencyKey? key, Func<string, Task<Result<BackgroundResponse>>> make, bool isStream)
    {
        if ((await make(JobId.New(TimeProvider.System))).Failed(out ApiError? error, out BackgroundResponse? made))
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        Background.Enqueue((made.Inference, made.Response, isStream));
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }
}
