using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Edge.Jobs;

/// <summary>How the stream of a job is written.</summary>
internal interface IJobStreamLines
{
    string ContentType { get; }

    /// <summary>Something has been written since the last flush.</summary>
    bool HasWritten { get; }

    void Flushed();

    /// <summary>What can be said before anything is known of the answer.</summary>
    void WriteStart();

    void WriteDelta(JobOutput.Delta delta);

    /// <param name="offset">Tokens so far.</param>
    void WriteHeartbeat(int offset);

    /// <param name="record">Null where the job was deleted meanwhile.</param>
    /// <param name="offset">Tokens in all.</param>
    /// <param name="last">What became final by the end, without another token.</param>
    void WriteEnd(JobRecord? record, int offset, JobOutput.Delta? last);
}
