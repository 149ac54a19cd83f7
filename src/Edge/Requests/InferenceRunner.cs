using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Aliases;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Idempotency;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>
/// The common way of an inference, after an API's translator and up to its format: jobs, start or replay, answer. A request that is for several
/// answers has them run at once, each as a job of its own.
/// </summary>
internal sealed class InferenceRunner(
    JobFactory jobs, NamedModels models, IJobStarter starter, IdempotencyStore kept, StreamedAnswer streamed, WholeAnswer whole)
{
    public Task AnswerAsync(HttpContext context, InferenceRequest request, IdempotencyKey? key, bool isStream, IAnswerFormat format) =>
        AnswerAsync(context, [request], key, isStream, format);

    public Task AnswerAsync(
        HttpContext context, IReadOnlyList<InferenceRequest> requests, IdempotencyKey? key, bool isStream, IAnswerFormat format) =>
        AnswerAsync(context, requests, key, leases => isStream ? streamed.WriteAsync(context, leases, format) : whole.WriteAsync(context, leases, format));

    public Task AnswerAsync(HttpContext context, InferenceRequest request, IdempotencyKey? key, IWholeFormat format) =>
        AnswerAsync(context, [request], key, leases => whole.WriteAsync(context, leases, format));

    private async Task AnswerAsync(
        HttpContext context, IReadOnlyList<InferenceRequest> requests, IdempotencyKey? key, Func<AnswerLeases, Task> write)
    {
        using AnswerLeases leases = new();
        if (await StartAsync(context, requests, key, leases) is { } error)
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        if (leases.AreReplays)
            context.Response.Headers[IdempotencyKey.ReplayHeader] = "true";
        ModelHeader.Write(context, leases.All[0].Model);
        InferenceInfo.Note(context, requests[0], models.AliasOf(requests[0].Model), leases.All[0].Model);
        await write(leases);
    }

    private async ValueTask<ApiError?> StartAsync(
        HttpContext context, IReadOnlyList<InferenceRequest> requests, IdempotencyKey? key, AnswerLeases leases)
    {
        int count = requests.Sum(request => request.Choices);
        // First of all, so that an answer is found again even if its model is gone by now.
        if (key is not null && Find(key, count, leases) is var (areAll, found) && (areAll || found is not null))
            return found;
        if ((await jobs.CreateAllAsync(requests, RequestInfo.Of(context), context.RequestAborted)).Failed(out ApiError? error, out Job[]? all))
            return error;
        for (int i = leases.All.Count; i < all.Length; i++)
        {
            Job job = all[i];
            if (key is null)
                leases.Add(Start(job));
            else if (kept.FindOrStart(key.ForChoice(i), gone => starter.Start(job, gone), job.AnsweredBy).Failed(out error, out AnswerLease? lease))
                return error;
            else
                leases.Add(lease);
        }
        return null;
    }

    /// <summary>Adds the answers that are there, up to the first that is not.</summary>
    private (bool AreAll, ApiError? Error) Find(IdempotencyKey key, int count, AnswerLeases leases)
    {
        for (int i = 0; i < count; i++)
        {
            if (kept.Find(key.ForChoice(i)) is not { } found)
                return (false, null);
            if (found.Failed(out ApiError? error, out AnswerLease? lease))
                return (false, error);
            leases.Add(lease);
        }
        return (true, null);
    }

    /// <summary>Without a key nobody can come back for the answer: the run ends with its client.</summary>
    private AnswerLease Start(Job job)
    {
        CancellationTokenSource gone = new(); // Not disposed: it has no timer, and the dispatch may still hold its token.
        JobOutputLog log = starter.Start(job, gone.Token);
        return new(log, isReplay: false, () =>
        {
            if (!log.IsComplete)
                gone.Cancel();
        })
        {
            Model = job.AnsweredBy,
        };
    }
}
