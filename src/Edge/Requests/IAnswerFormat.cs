using System.Buffers;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>How one API writes one answer, in one piece or as a stream. Made per request: it may remember what it has written.</summary>
internal interface IAnswerFormat : IWholeFormat
{
    string StreamContentType { get; }

    /// <param name="choice">Which of the request's jobs, from 0; their deltas come in turns.</param>
    void WriteDelta(IBufferWriter<byte> output, int choice, JobOutput.Delta delta);

    /// <summary>Something that the API's clients take for "still there".</summary>
    void WriteHeartbeat(IBufferWriter<byte> output);

    /// <summary>Comes before <see cref="WriteEnd"/>, with the same, where the format keeps.</summary>
    ValueTask KeepAsync(int choice, JobOutput.Finished finished, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>The end of one job's part; of the stream too where it is the last one's.</summary>
    void WriteEnd(IBufferWriter<byte> output, int choice, JobOutput.Finished finished);
}
