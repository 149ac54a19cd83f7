using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>
/// Writes the output of a request's jobs as a stream: all that is there, then one flush. The headers leave with the first output, or after
/// <see cref="EdgeOptions.HeaderDelay"/> without any; a failure before that has its real status, one after it goes into the stream.
/// (Not already at acceptance: a prompt that is too long is known only when a worker has read it.)
/// </summary>
internal sealed partial class StreamedAnswer(TimeProvider time, RequestMetrics metrics, IOptions<EdgeOptions> options, ILogger<StreamedAnswer> logger)
{
    public async Task WriteAsync(HttpContext context, AnswerLeases leases, IAnswerFormat format)
    {
        await using ChoicesReader outputs = new(leases, time, context.RequestAborted);
        HttpResponse response = context.Response;
        PipeWriter body = response.BodyWriter;
        TimeSpan patience = options.Value.HeaderDelay;
        long quietSince = time.GetTimestamp();
        bool isEmpty = true;
        bool hasText = false;
        while (true)
        {
            bool isDue = false;
            while (outputs.TryRead(out int choice, out JobOutput? output))
            {
                if (output is JobOutput.Failed failure)
                    RequestMetrics.Failed(context, failure.Error);
                if (output is JobOutput.Failed failed && isEmpty && !response.HasStarted)
                {
                    await ErrorAnswer.WriteAsync(context, ApiError.From(failed.Error));
                    return;
                }
                if (!hasText && output is JobOutput.Delta)
                {
                    hasText = true;
                    metrics.FirstText(context);
                }
                if (format.Keeps && output is JobOutput.Finished end)
                {
                    // What is there leaves first: it is not to wait for storage, and if that fails not to stand before the error's answer.
                    if (isDue)
                        await FlushAsync(context, format);
                    if (await KeepAsync(context, choice, end, format) is { } error)
                    {
                        format.WriteError(body, error);
                        await FlushAsync(context, format);
                        return;
                    }
                }
                bool hasWritten = Write(body, choice, output, format);
                isEmpty &= !hasWritten;
                isDue |= hasWritten;
                if (output is JobOutput.Finished finished)
                    metrics.Finished(context, leases.All[choice], finished.Statistics);
                // One choice that fails fails all: the others end with the client's interest in them.
                if (output is JobOutput.Failed || outputs.IsAtEnd)
                {
                    await FlushAsync(context, format);
                    return;
                }
            }
            TimeSpan left = patience - time.GetElapsedTime(quietSince);
            if (!isDue && left > TimeSpan.Zero && await outputs.WaitAsync(left))
                continue;
            if (!isDue)
            {
                format.WriteHeartbeat(body);
                isEmpty = false;
            }
            await FlushAsync(context, format);
            patience = options.Value.HeartbeatInterval;
            quietSince = time.GetTimestamp();
        }
    }

    /// <summary>The error for an answer that cannot be kept, in a stream that has begun: nobody is to have an end that nobody can come back to.</summary>
    private async ValueTask<ApiError?> KeepAsync(HttpContext context, int choice, JobOutput.Finished end, IAnswerFormat format)
    {
        ApiError? error = null;
        try
        {
            await format.KeepAsync(choice, end, context.RequestAborted);
        }
        catch (Exception e) when (context.Response.HasStarted && (error = StorageError.Of(e)) is not null)
        {
            LogNotKept(e, RequestInfo.Of(context).Id);
            RequestMetrics.Failed(context, new JobError(JobErrorKind.Failed, error.Message));
        }
        return error;
    }

    /// <summary>Whether anything was written.</summary>
    private static bool Write(PipeWriter body, int choice, JobOutput output, IAnswerFormat format)
    {
        switch (output)
        {
            case JobOutput.Delta delta:
                format.WriteDelta(body, choice, delta);
                return true;
            case JobOutput.Finished finished:
                format.WriteEnd(body, choice, finished);
                return true;
            case JobOutput.Failed failed:
                format.WriteError(body, ApiError.From(failed.Error));
                return true;
            default:
                return false;
        }
    }

    /// <summary>Sends what was written, and the headers if they have not left yet.</summary>
    private static async ValueTask FlushAsync(HttpContext context, IAnswerFormat format)
    {
        if (!context.Response.HasStarted)
        {
            context.Response.ContentType = format.StreamContentType;
            context.Response.Headers.CacheControl = "no-cache";
            await context.Response.StartAsync(context.RequestAborted);
        }
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    [LoggerMessage(LogLevel.Error, "The answer to request {RequestId} could not be kept: its stream ended with an error.")]
    private partial void LogNotKept(Exception exception, string requestId);
}
