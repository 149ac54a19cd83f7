using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Idempotency;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Storage;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs;

/// <summary>
/// Takes on once what comes under an <c>Idempotency-Key</c>, however often it comes and to whichever edge: who lost the answer sends the same again
/// (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header). What was refused is forgotten: the next try is a first one.
/// </summary>
internal sealed partial class KeyedSubmissions(SubmissionStore store, StoragePatience storage, TimeProvider time, ILogger<KeyedSubmissions> logger)
{
    /// <summary>From when it was first begun.</summary>
    private static readonly TimeSpan KeptFor = TimeSpan.FromHours(24);

    /// <summary>After this the edge that began it is taken for dead. Should it live, both make the same job.</summary>
    private static readonly TimeSpan TakenWithin = TimeSpan.FromSeconds(15);

    /// <param name="key">Null: it is taken on, and that is all.</param>
    /// <param name="take">Takes it on as this job, which another edge may have begun to do. An error: it is not taken on.</param>
    /// <param name="find">What came of it; null: nothing that would run.</param>
    public async Task<Result<T>> TakeAsync<T>(HttpContext context, IdempotencyKey? key, Func<JobTicket, Task<Result<T>>> take, Func<KeyedSubmission, CancellationToken, Task<T?>> find)
        where T : class
    {
        if (key is null)
            return await take(new(JobId.New(time), Submission: null));
        string name = Hash($"{key.Tenant}\n{key.Value}");
        KeyedSubmission first = FirstOf(key);
        StoredSubmission? mine = null;
        while (mine is null)
        {
            if (await AskAsync(token => store.CreateAsync(name, first, key.Tenant, token), context) is { } created)
                mine = created;
            else if (await AskAsync(token => store.FindAsync(name, key.Tenant, token), context) is not { Submission: var earlier } found)
                continue;
            else if (earlier.ExpiresAt <= first.BegunAt)
                mine = await AskAsync(token => store.ReplaceAsync(found, first, token), context);
            else if (earlier.Content != first.Content)
                return key.ContentDiffers();
            else if (await AskAsync(token => find(earlier, token), context) is { } there)
                return await AgainAsync(context, found, there);
            else if (earlier.IsTaken)
                return new ApiError(StatusCodes.Status410Gone, $"what was submitted with {IdempotencyKey.Header} '{key.Value}' is not kept any more");
            else if (first.BegunAt - earlier.BegunAt < TakenWithin)
                return new ApiError(StatusCodes.Status409Conflict, $"what was submitted with {IdempotencyKey.Header} '{key.Value}' is being taken on") { RetryAfter = TimeSpan.FromSeconds(1) };
            else
                mine = await AskAsync(token => store.ReplaceAsync(found, earlier with { BegunAt = first.BegunAt }, token), context);
        }
        Result<T> taken = await take(new(mine.Submission.JobId, name));
        if (taken.Error is null)
            await TryAsync(mine, () => store.ReplaceAsync(mine, mine.Submission with { IsTaken = true }, CancellationToken.None));
        else if (mine.Submission.JobId == first.JobId)
            await TryAsync(mine, () => store.DeleteAsync(mine, CancellationToken.None));
        return taken;
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private KeyedSubmission FirstOf(IdempotencyKey key)
    {
        DateTimeOffset now = time.GetUtcNow();
        return new(JobId.New(time), Hash($"{key.Value}\n{key.Content}"), now, now + KeptFor);
    }

    private Task<T> AskAsync<T>(Func<CancellationToken, Task<T>> ask, HttpContext context) => storage.WaitAsync(ask, context.RequestAborted);

    private async Task<T> AgainAsync<T>(HttpContext context, StoredSubmission found, T there)
    {
        context.Response.Headers[IdempotencyKey.ReplayHeader] = "true";
        // Whoever took it on did not come to say so.
        if (!found.Submission.IsTaken)
            await TryAsync(found, () => store.ReplaceAsync(found, found.Submission with { IsTaken = true }, CancellationToken.None));
        return there;
    }

    /// <summary>The job tells as well that it was taken on, as long as it is there, and its end notes it (<see cref="JobRecords"/>); that it was not, time tells.</summary>
    private async Task TryAsync(StoredSubmission submission, Func<Task> write)
    {
        try
        {
            await write();
        }
        catch (Exception e) when (StorageFailure.Is(e, CancellationToken.None))
        {
            LogNotNoted(e, submission.Submission.JobId);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What has become of the keyed submission of job {Job} was not noted in storage")]
    private partial void LogNotNoted(Exception exception, string job);
}
