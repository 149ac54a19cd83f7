using System.Buffers;
using System.Text.Json;
using OllamaMax.Edge.Anthropic;

namespace OllamaMax.Edge.OpenAI.Responses;

/// <summary>Events with their <c>sequence_number</c>, from 0.</summary>
/// <param name="after">Number of the last one that the client has: what comes up to it is counted, not written.</param>
internal sealed class ResponseEvents(int after) : IDisposable
{
    private readonly MessageEvents _events = new();
    private int _next;

    /// <summary>Begins an event; its other fields are to be written, then it is ended.</summary>
    public Utf8JsonWriter Begin(string type)
    {
        Utf8JsonWriter json = _events.Begin(type);
        json.WriteNumber("sequence_number"u8, _next);
        return json;
    }

    public void End(IBufferWriter<byte> output)
    {
        if (_next++ > after)
            _events.End(output);
    }

    public void Dispose() => _events.Dispose();
}
