using System.Buffers;
using System.Text;
using System.Text.Json;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Jobs;

/// <summary>Objects that follow each other: NDJSON, or the same as server-sent events.</summary>
internal sealed class LineFrames(IBufferWriter<byte> output, bool isEvents)
{
    private readonly ArrayBufferWriter<byte> _line = new();

    public bool IsEvents => isEvents;

    public string ContentType => isEvents ? "text/event-stream" : "application/x-ndjson";

    /// <summary>Something was written since <see cref="Flushed"/>.</summary>
    public bool HasWritten { get; private set; }

    public static bool AsksForEvents(string accept) => accept.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase);

    public void Flushed() => HasWritten = false;

    /// <summary>Begins a line with its object; the writer is disposed of before the line is ended.</summary>
    public Utf8JsonWriter Begin()
    {
        _line.ResetWrittenCount();
        Utf8JsonWriter json = new(_line, Json.Writer);
        json.WriteStartObject();
        return json;
    }

    /// <param name="id">Of the event, which a client that comes back says; null: it has none. A line of NDJSON has none in any case.</param>
    public void End(string? id)
    {
        HasWritten = true;
        if (isEvents && id is not null)
        {
            output.Write("id: "u8);
            output.Write(Encoding.ASCII.GetBytes(id));
            output.Write("\n"u8);
        }
        if (isEvents)
            output.Write("data: "u8);
        output.Write(_line.WrittenSpan);
        output.Write(isEvents ? "\n\n"u8 : "\n"u8);
    }

    /// <summary>There is nothing to say: an event's comment.</summary>
    public void Comment()
    {
        HasWritten = true;
        output.Write(": waiting\n\n"u8);
    }
}
