using System.Buffers;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>How one API writes one answer. Made per request: it may remember what it has written.</summary>
internal interface IAnswerFormat
{
    string StreamContentType { get; }

    void WriteDelta(IBufferWriter<byte> output, string text);

    /// <summary>Something that the API's clients take for "still there".</summary>
    void WriteHeartbeat(IBufferWriter<byte> output);

    /// <summary>The end of a stream.</summary>
    void WriteEnd(IBufferWriter<byte> output, JobOutput.Finished finished);

    /// <summary>The end of a stream that went wrong after its headers had left.</summary>
    void WriteError(IBufferWriter<byte> output, string message);

    /// <summary>The answer in one piece, as <c>application/json</c>.</summary>
    void WriteWhole(IBufferWriter<byte> output, string text, JobOutput.Finished finished);
}
