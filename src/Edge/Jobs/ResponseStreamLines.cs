using System.Buffers;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenAI.Responses;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Edge.Jobs;

/// <summary>
/// A job's stream as the events of a response. They follow from the output in storage, each chunk of it as it lies there: their numbers are the same whoever
/// reads.
/// </summary>
internal sealed class ResponseStreamLines(IBufferWriter<byte> output, ResponseFormat format) : IJobStreamLines
{
    public string ContentType => ServerSentEvents.ContentType;

    public bool HasWritten { get; private set; }

    public void Flushed() => HasWritten = false;

    public void WriteStart() => format.WriteCreated(output);

    public void WriteDelta(JobOutput.Delta delta)
    {
        format.WriteDelta(output, 0, delta);
        HasWritten = true;
    }

    public void WriteHeartbeat(int offset)
    {
        format.WriteHeartbeat(output);
        HasWritten = true;
    }

    public void WriteEnd(JobRecord? record, int offset, JobOutput.Delta? last)
    {
        HasWritten = true;
        if (record is { Status: RecordStatus.Completed, Statistics: { } statistics, Reason: { } reason })
        {
            if (last is not null)
                format.WriteDelta(output, 0, last);
            format.WriteEnd(output, 0, new JobOutput.Finished(reason, statistics));
            return;
        }
        ApiError? error = record is null ? new ApiError(404, "the response was deleted") : record.Error is { } why ? ApiError.From(why) : null;
        format.WriteFailed(output, record is null ? "failed" : JobAnswer.NameOf(record.Status), error, hasRun: record?.StartedAt is not null);
    }
}
