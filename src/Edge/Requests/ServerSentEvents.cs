using System.Buffers;
using System.Text;

namespace OllamaMax.Edge.Requests;

/// <summary>The framing of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), of data without line breaks.</summary>
internal static class ServerSentEvents
{
    public const string ContentType = "text/event-stream";

    /// <summary>A line that clients skip.</summary>
    public static void WriteComment(IBufferWriter<byte> output) => output.Write(": waiting\n\n"u8);

    public static void WriteData(IBufferWriter<byte> output, ReadOnlySpan<byte> data)
    {
        output.Write("data: "u8);
        output.Write(data);
        output.Write("\n\n"u8);
    }

    public static void WriteEvent(IBufferWriter<byte> output, string name, ReadOnlySpan<byte> data)
    {
        output.Write("event: "u8);
        Encoding.ASCII.GetBytes(name, output);
        output.Write("\n"u8);
        WriteData(output, data);
    }
}
