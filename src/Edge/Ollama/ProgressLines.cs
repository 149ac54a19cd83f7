using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Pulls;

namespace OllamaMax.Edge.Ollama;

/// <summary>
/// Ollama's progress: <c>{"status":"…"}</c>, with <c>digest</c>, <c>total</c> and <c>completed</c> where bytes are counted. A stream of lines, or the last of them alone.
/// </summary>
internal sealed class ProgressLines(HttpContext context, bool isStream) : IAsyncDisposable
{
    private readonly Utf8JsonWriter _json = new(context.Response.BodyWriter, Json.Writer);
    private PullLine? _last;

    /// <summary>Lines, or one answer.</summary>
    public bool IsStream => isStream;

    public void Say(string status) => Say(new PullLine(status));

    public void Say(PullLine line)
    {
        if (!context.Response.HasStarted)
            context.Response.ContentType = isStream ? "application/x-ndjson" : "application/json; charset=utf-8";
        _last = line;
        if (isStream)
            Put(line);
    }

    /// <summary>Ends it with an error, in Ollama's shape; with its status where that is not out already.</summary>
    public async ValueTask FailAsync(ApiError error)
    {
        _last = null;
        if (!context.Response.HasStarted)
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        OllamaErrors.Write(context.Response.BodyWriter, error.Message);
        if (isStream)
            context.Response.BodyWriter.Write("\n"u8);
    }

    /// <summary>The last words of an answer that has reached its <see cref="RequestLimit"/>, whose client is still there: an error.</summary>
    /// <param name="context">Of the answer, which has begun.</param>
    /// <param name="isStream">As of the answer's lines so far.</param>
    /// <param name="then">What becomes of what was asked for.</param>
    public static async Task EndAtLimitAsync(HttpContext context, bool isStream, string then)
    {
        TimeSpan limit = RequestLimit.ReachedBy(context)!.Value;
        RequestLimit.Lift(context);
        await using ProgressLines progress = new(context, isStream);
        string message = string.Create(CultureInfo.InvariantCulture, $"an answer ends after {limit.TotalMinutes} minutes here{then}");
        await progress.FailAsync(new ApiError(StatusCodes.Status500InternalServerError, message));
    }

    /// <summary>Sends what has been said so far.</summary>
    public async ValueTask FlushAsync()
    {
        if (isStream)
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    public async ValueTask DisposeAsync()
    {
        bool isDone = _last is { Status: PullLine.Success };
        if (!isStream && isDone)
            Put(_last!);
        await _json.DisposeAsync();
        // An exception may be on its way to whoever makes it an answer with a status of its own.
        if (!isDone && !context.Response.HasStarted)
            return;
        // Where the request is over already, a flush that is cancelled would cut the connection, on which something may still be said.
        if (!context.RequestAborted.IsCancellationRequested)
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private void Put(PullLine line)
    {
        _json.Reset();
        _json.WriteStartObject();
        _json.WriteString("status"u8, line.Status);
        if (line.Digest is not null)
            _json.WriteString("digest"u8, line.Digest);
        if (line.Total > 0)
        {
            _json.WriteNumber("total"u8, line.Total);
            _json.WriteNumber("completed"u8, line.Completed);
        }
        _json.WriteEndObject();
        _json.Flush();
        context.Response.BodyWriter.Write("\n"u8);
    }
}
