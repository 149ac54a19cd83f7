using System.Buffers;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>How one API writes one answer, in one piece or as a stream. Made per request: it may remember what it has written.</summary>
internal interface IAnswerFormat : IWholeFormat
{
    string StreamContentType { get; }

    void WriteDelta(IBufferWriter<byte> output, JobOutput.Delta delta);

    /// <summary>Something that the API's clients take for "still there".</summary>
    void WriteHeartbeat(IBufferWriter<byte> output);

    /// <summary>The end of a stream.</summary>
    void WriteEnd(IBufferWriter<byte> output, JobOutput.Finished finished);
}
