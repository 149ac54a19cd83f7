using System.Buffers;
using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.Anthropic;

/// <summary>Writes events <c>{"type":…}</c>, whose name is their type.</summary>
internal sealed class MessageEvents : IDisposable
{
    private readonly ArrayBufferWriter<byte> _data = new();
    private readonly Utf8JsonWriter _json;
    private string _type = "";

    public MessageEvents() => _json = new(_data, Json.Writer);

    /// <summary>Begins an event; its other fields are to be written, then it is ended.</summary>
    public Utf8JsonWriter Begin(string type)
    {
        _type = type;
        _data.ResetWrittenCount();
        _json.Reset(_data);
        _json.WriteStartObject();
        _json.WriteString("type"u8, type);
        return _json;
    }

    public void End(IBufferWriter<byte> output)
    {
        _json.WriteEndObject();
        _json.Flush();
        ServerSentEvents.WriteEvent(output, _type, _data.WrittenSpan);
    }

    public void Dispose() => _json.Dispose();
}
