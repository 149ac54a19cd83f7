using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>
/// Writes a job's output in one piece, with the real status whatever happens. Only before a silence that proxies would cut, white
/// space (which JSON allows in front) keeps the connection; that commits the status to 200.
/// </summary>
internal sealed class WholeAnswer(TimeProvider time, RequestMetrics metrics, IOptions<EdgeOptions> options)
{
    private const string ContentType = "application/json; charset=utf-8";

    public async Task WriteAsync(HttpContext context, AnswerLease lease, IAnswerFormat format)
    {
        await using JobOutputReader outputs = new(lease.Log, time, context.RequestAborted);
        StringBuilder text = new();
        TimeSpan patience = options.Value.SilenceLimit;
        long waitingSince = time.GetTimestamp();
        while (true)
        {
            while (outputs.TryRead(out JobOutput? output))
            {
                switch (output)
                {
                    case JobOutput.Delta { Text.Length: > 0 } delta:
                        if (text.Length == 0)
                            metrics.FirstText(context);
                        text.Append(delta.Text);
                        break;
                    case JobOutput.Finished finished:
                        metrics.Finished(lease, finished.Statistics);
                        await SendAsync(context, body => format.WriteWhole(body, text.ToString(), finished));
                        return;
                    case JobOutput.Failed failed when !context.Response.HasStarted:
                        await ErrorAnswer.WriteAsync(context, ApiError.From(failed.Error));
                        return;
                    case JobOutput.Failed failed:
                        await SendAsync(context, body => format.WriteError(body, failed.Error.Message));
                        return;
                }
            }
            // Tokens that come are silence to the client all the same.
            TimeSpan left = patience - time.GetElapsedTime(waitingSince);
            if (left > TimeSpan.Zero && await outputs.WaitAsync(left))
                continue;
            await SendAsync(context, static body => body.Write("\n"u8));
            patience = options.Value.HeartbeatInterval;
            waitingSince = time.GetTimestamp();
        }
    }

    private static async ValueTask SendAsync(HttpContext context, Action<PipeWriter> write)
    {
        if (!context.Response.HasStarted)
            context.Response.ContentType = ContentType;
        write(context.Response.BodyWriter);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
