using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Idempotency;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>The common way of an inference, after an API's translator and up to its format: job, start or replay, answer.</summary>
internal sealed class InferenceRunner(
    JobFactory jobs, IJobStarter starter, IdempotencyStore kept, StreamedAnswer streamed, WholeAnswer whole)
{
    public Task AnswerAsync(HttpContext context, InferenceRequest request, IdempotencyKey? key, bool isStream, IAnswerFormat format) =>
        AnswerAsync(context, request, key, lease => isStream ? streamed.WriteAsync(context, lease, format) : whole.WriteAsync(context, lease, format));

    public Task AnswerAsync(HttpContext context, InferenceRequest request, IdempotencyKey? key, IWholeFormat format) =>
        AnswerAsync(context, request, key, lease => whole.WriteAsync(context, lease, format));

    private async Task AnswerAsync(HttpContext context, InferenceRequest request, IdempotencyKey? key, Func<AnswerLease, Task> write)
    {
        if ((await StartAsync(context, request, key)).Failed(out ApiError? error, out AnswerLease? lease))
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        using (lease)
        {
            if (lease.IsReplay)
                context.Response.Headers[IdempotencyKey.ReplayHeader] = "true";
            await write(lease);
        }
    }

    private async ValueTask<Result<AnswerLease>> StartAsync(HttpContext context, InferenceRequest request, IdempotencyKey? key)
    {
        // First of all, so that an answer is found again even if its model is gone by now.
        if (key is not null && kept.Find(key) is { } found)
            return found;
        if ((await jobs.CreateAsync(request, RequestInfo.Of(context), context.RequestAborted)).Failed(out ApiError? error, out Job? job))
            return error;
        return key is null ? Start(job) : kept.FindOrStart(key, gone => starter.Start(job, gone));
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
        });
    }
}
