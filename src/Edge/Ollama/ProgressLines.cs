using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Ollama;

/// <summary>
/// Ollama's progress: <c>{"status":"…"}</c>, with <c>digest</c>, <c>total</c> and <c>completed</c> where bytes are counted. A stream of lines, or the last of them alone.
/// </summary>
internal sealed class ProgressLines(HttpContext context, bool isStream) : IAsyncDisposable
{
    private readonly Utf8JsonWriter _json = new(context.Response.BodyWriter, Json.Writer);
    private Line? _last;

    public void Say(string status) => Write(new Line(status, null, 0, 0));

    /// <param name="status">What is done.</param>
    /// <param name="digest">To which blob.</param>
    /// <param name="total">Its bytes.</param>
    /// <param name="completed">Those that are done.</param>
    public void Say(string status, string digest, long total, long completed) => Write(new Line(status, digest, total, completed));

    /// <summary>Sends what has been said so far.</summary>
    public async ValueTask FlushAsync()
    {
        if (isStream)
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    public async ValueTask DisposeAsync()
    {
        if (!isStream && _last is not null)
            Put(_last);
        await _json.DisposeAsync();
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private void Write(Line line)
    {
        if (!context.Response.HasStarted)
            context.Response.ContentType = isStream ? "application/x-ndjson" : "application/json; charset=utf-8";
        _last = line;
        if (isStream)
            Put(line);
    }

    private void Put(Line line)
    {
        _json.Reset();
        _json.WriteStartObject();
        _json.WriteString("status"u8, line.Status);
        if (line.Digest is not null)
        {
            _json.WriteString("digest"u8, line.Digest);
            _json.WriteNumber("total"u8, line.Total);
            _json.WriteNumber("completed"u8, line.Completed);
        }
        _json.WriteEndObject();
        _json.Flush();
        context.Response.BodyWriter.Write("\n"u8);
    }

    private sealed record Line(string Status, string? Digest, long Total, long Completed);
}
