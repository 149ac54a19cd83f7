using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.Logging;
using OllamaMax.Jobs;
using OllamaMax.Streaming;

namespace OllamaMax.GpuWorker.Dispatch;

/// <summary>Jobs that were too large for a grant, from where their owners have put them. What storage cannot give at the moment is asked for again for half a minute.</summary>
internal sealed partial class PayloadSource(HttpClient http, TimeProvider time, ILogger<PayloadSource> logger)
{
    /// <summary>The job; null: storage did not give it in all that time, and whoever is nearer to it may go on.</summary>
    /// <exception cref="HttpRequestException">It never will: the job is over and its payload deleted (404), the leave to read it has ended (403), or it is not this attempt's.</exception>
    public async Task<Job?> ReadAsync(GrantMessage grant, CancellationToken cancellationToken)
    {
        foreach (TimeSpan wait in StorageWaits.All)
        {
            if (await TryAsync(grant, cancellationToken) is { } job)
                return job;
            await Task.Delay(wait, time, cancellationToken);
        }
        return await TryAsync(grant, cancellationToken);
    }

    private async Task<Job?> TryAsync(GrantMessage grant, CancellationToken cancellationToken)
    {
        try
        {
            return await FetchAsync(grant, cancellationToken);
        }
        catch (Exception e) when (IsPassing(e))
        {
            // The end may come with the refusal, and is no failure.
            cancellationToken.ThrowIfCancellationRequested();
            LogNotRead(grant.JobId, e.Message);
            return null;
        }
    }

    private async Task<Job> FetchAsync(GrantMessage grant, CancellationToken cancellationToken)
    {
        if (grant.Seal is { } seal)
        {
            return SealedMessages.OpenJob(await http.GetByteArrayAsync(grant.PayloadUrl, cancellationToken), seal)
                ?? throw new HttpRequestException(HttpRequestError.InvalidResponse, "the job's payload does not open: it is another attempt's, or was changed");
        }
        return await http.GetFromJsonAsync(grant.PayloadUrl, ProtocolJson.Default.Job, cancellationToken)
            ?? throw new HttpRequestException(HttpRequestError.InvalidResponse, "the job's payload is empty");
    }

    /// <summary>No answer, one that says so, or one that breaks off; a server that is silent is a cancellation.</summary>
    private static bool IsPassing(Exception e) => e switch
    {
        HttpRequestException { StatusCode: { } status } => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError,
        HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } => false,
        _ => e is HttpRequestException or IOException or OperationCanceledException,
    };

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {Job}: its payload cannot be read: {Reason}")]
    private partial void LogNotRead(string job, string reason);
}
