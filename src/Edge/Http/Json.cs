using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace OllamaMax.Edge.Http;

/// <summary>How JSON is read and written everywhere at the edge.</summary>
internal static class Json
{
    /// <summary>
    /// Nesting that requests may have; far above what any real one has. Serializers read and write 64, and what is made of a request (a grant that is sent, a record that is kept)
    /// has its parts up to five levels deeper.
    /// </summary>
    public const int MaxDepth = 56;

    /// <summary>Text leaves as it is, not as <c>\uXXXX</c>: answers are JSON documents, never pasted into HTML.</summary>
    public static readonly JavaScriptEncoder Encoder = new PlainTextEncoder();

    public static readonly JsonWriterOptions Writer = new() { Encoder = Encoder, SkipValidation = true };

    /// <summary>What is written, one value, to be read or sent on.</summary>
    public static JsonElement Element(Action<Utf8JsonWriter> write)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter json = new(buffer, Writer))
            write(json);
        return JsonElement.Parse(buffer.WrittenSpan);
    }
}
