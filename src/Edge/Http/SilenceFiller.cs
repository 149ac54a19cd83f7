using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace OllamaMax.Edge.Http;

/// <summary>
/// Keeps the connection of somebody who waits for an answer in one piece: only before a silence that proxies would cut a space, which JSON allows in front, is sent; that commits the
/// status to 200. No newline: Ollama's own client and others read such an answer by lines too, and an empty line is no JSON.
/// </summary>
internal sealed class SilenceFiller(HttpContext context, EdgeOptions options, TimeProvider time)
{
    private TimeSpan _patience = options.SilenceLimit;
    private long _waitingSince = time.GetTimestamp();

    /// <summary>So long nothing has to be sent.</summary>
    public TimeSpan Left => _patience - time.GetElapsedTime(_waitingSince);

    public async ValueTask FillAsync()
    {
        if (!context.Response.HasStarted)
            context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.BodyWriter.Write(" "u8);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        _patience = options.HeartbeatInterval;
        _waitingSince = time.GetTimestamp();
    }

    /// <summary>Until the work has ended, however it did.</summary>
    /// <exception cref="OperationCanceledException">The client has left.</exception>
    public async Task WaitAsync(Task work)
    {
        while (!work.IsCompleted)
        {
            TimeSpan left = Left;
            if (left > TimeSpan.Zero)
                await work.WaitAsync(left, time, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            else
                await FillAsync();
            context.RequestAborted.ThrowIfCancellationRequested();
        }
    }
}
