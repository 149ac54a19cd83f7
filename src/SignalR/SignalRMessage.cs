using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OllamaMax.SignalR;

/// <summary>The data plane's body: <c>{"target":…,"arguments":[…]}</c>, here always with one argument.</summary>
internal static class SignalRMessage
{
    private static readonly JsonEncodedText s_target = JsonEncodedText.Encode("target");
    private static readonly JsonEncodedText s_arguments = JsonEncodedText.Encode("arguments");

    public static ReadOnlyMemory<byte> Write<T>(string target, T argument, JsonTypeInfo<T> type)
    {
        // Not pooled: HttpClient may still read the body when a call has failed or was cancelled.
        ArrayBufferWriter<byte> buffer = new(1024);
        using Utf8JsonWriter writer = new(buffer);
        writer.WriteStartObject();
        writer.WriteString(s_target, target);
        writer.WriteStartArray(s_arguments);
        JsonSerializer.Serialize(writer, argument, type);
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }
}
