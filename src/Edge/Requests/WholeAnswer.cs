using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>
/// Writes the output of a request's jobs in one piece, with the real status whatever happens, unless silence had to be filled (<see cref="SilenceFiller"/>).
/// </summary>
internal sealed class WholeAnswer(TimeProvider time, RequestMetrics metrics, IOptions<EdgeOptions> options)
{
    private const string ContentType = "application/json; charset=utf-8";

    private static readonly JobError BrokenVector = new(JobErrorKind.Failed, "embedding contains NaN or Inf values");

    public async Task WriteAsync(HttpContext context, AnswerLeases leases, IWholeFormat format)
    {
        await using ChoicesReader outputs = new(leases, time, context.RequestAborted);
        WholeOutputBuilder[] builders = [.. leases.All.Select(_ => new WholeOutputBuilder())];
        WholeOutput[] choices = new WholeOutput[builders.Length];
        SilenceFiller silence = new(context, options.Value, time);
        while (true)
        {
            while (outputs.TryRead(out int choice, out JobOutput? output))
            {
                WholeOutputBuilder whole = builders[choice];
                switch (output)
                {
                    case JobOutput.Delta delta:
                        if (Array.TrueForAll(builders, builder => builder.IsEmpty))
                            metrics.FirstText(context);
                        whole.Add(delta);
                        break;
                    case JobOutput.Embedding embedding:
                        whole.Add(embedding);
                        break;
                    case JobOutput.Finished when whole.HasBrokenVector:
                        await FailAsync(context, format, BrokenVector);
                        return;
                    case JobOutput.Finished finished:
                        metrics.Finished(context, leases.All[choice], finished.Statistics);
                        choices[choice] = whole.Finish(finished);
                        if (!outputs.IsAtEnd)
                            break;
                        if (format.Keeps)
                            await format.KeepAsync(choices, context.RequestAborted);
                        await SendAsync(context, body => format.WriteWhole(body, choices));
                        return;
                    case JobOutput.Failed failed:
                        await FailAsync(context, format, failed.Error);
                        return;
                }
            }
            // Tokens that come are silence to the client all the same.
            TimeSpan left = silence.Left;
            if (left <= TimeSpan.Zero || !await outputs.WaitAsync(left))
                await silence.FillAsync();
        }
    }

    /// <summary>With its status, unless a space has sent that already.</summary>
    private static async ValueTask FailAsync(HttpContext context, IWholeFormat format, JobError error)
    {
        RequestMetrics.Failed(context, error);
        if (context.Response.HasStarted)
            await SendAsync(context, body => format.WriteError(body, ApiError.From(error)));
        else
            await ErrorAnswer.WriteAsync(context, ApiError.From(error));
    }

    private static async ValueTask SendAsync(HttpContext context, Action<PipeWriter> write)
    {
        if (!context.Response.HasStarted)
            context.Response.ContentType = ContentType;
        write(context.Response.BodyWriter);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
