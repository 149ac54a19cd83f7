using System.Buffers;
using System.Text.Json;
using OllamaMax.Edge.Ollama;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs;

/// <summary>A completed job's answer in the shape of the API that it was given as, made of its output.</summary>
internal sealed class JobResult(JobRecordStore store)
{
    /// <summary>Null where the output is not kept any more.</summary>
    public async Task<JsonElement?> ReadAsync(JobRecord record, CancellationToken cancellationToken)
    {
        if (record is not { Status: RecordStatus.Completed, Job: { } job, Statistics: { } statistics, Reason: { } reason, EndedAt: { } endedAt })
            return null;
        IReadOnlyList<Chunk> chunks = await store.Output(record.Id).ReadAsync(cancellationToken);
        AnswerReplay replay = new(job);
        WholeOutputBuilder whole = new();
        foreach (Chunk chunk in chunks)
            whole.Add(replay.Append(chunk));
        whole.Add(replay.Complete());
        using OllamaFormat format = FormatOf(record, endedAt);
        ArrayBufferWriter<byte> body = new();
        format.WriteWhole(body, [whole.Finish(new JobOutput.Finished(reason, statistics))]);
        using JsonDocument document = JsonDocument.Parse(body.WrittenMemory);
        return document.RootElement.Clone();
    }

    private static OllamaFormat FormatOf(JobRecord record, DateTimeOffset endedAt) => record.Shape == RequestShape.Chat
        ? new ChatFormat(record.ModelName, new FixedTime(endedAt))
        : new GenerateFormat(record.ModelName, new FixedTime(endedAt));

    /// <summary>An answer says when it was made; this one was made when the job ended, however often it is asked for.</summary>
    private sealed class FixedTime(DateTimeOffset at) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => at;
    }
}
