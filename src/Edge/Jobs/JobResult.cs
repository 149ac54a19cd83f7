using System.Buffers;
using System.Text.Json;
using OllamaMax.Edge.Ollama;
using OllamaMax.Edge.OpenAI;
using OllamaMax.Edge.OpenAI.Responses;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Security;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs;

/// <summary>A completed job's answer in the shape of the API that it was given as, made of its output.</summary>
internal sealed class JobResult(JobRecordStore store)
{
    /// <summary>Null where the output is not kept any more, or has numbers that JSON cannot say.</summary>
    /// <exception cref="ContentKeyException">It is kept, and its key is not known here.</exception>
    public async Task<JsonElement?> ReadAsync(JobRecord record, CancellationToken cancellationToken)
    {
        if (await ReadWholeAsync(record, cancellationToken) is not { } whole || record.EndedAt is not { } endedAt)
            return null;
        ArrayBufferWriter<byte> body = new();
        Write(body, record, endedAt, [whole]);
        using JsonDocument document = JsonDocument.Parse(body.WrittenMemory);
        return document.RootElement.Clone();
    }

    /// <summary>The answer's text alone, without what the model thought. Null where the output is not kept any more.</summary>
    /// <exception cref="ContentKeyException">It is kept, and its key is not known here.</exception>
    public async Task<string?> ReadTextAsync(JobRecord record, CancellationToken cancellationToken) =>
        (await ReadWholeAsync(record, cancellationToken))?.Answer.Text;

    private async Task<WholeOutput?> ReadWholeAsync(JobRecord record, CancellationToken cancellationToken)
    {
        if (record.Status == RecordStatus.Completed)
            record.Readable();
        if (record is not { Status: RecordStatus.Completed, Job: { } job, Statistics: { } statistics, Reason: { } reason })
            return null;
        IReadOnlyList<Chunk> chunks = await store.Output(record.Id).ReadAsync(cancellationToken);
        AnswerReplay replay = new(job);
        WholeOutputBuilder whole = new();
        foreach (Chunk chunk in chunks)
        {
            whole.Add(replay.Append(chunk));
            foreach (JobOutput.Embedding vector in replay.Vectors(chunk))
                whole.Add(vector);
        }
        whole.Add(replay.Complete(reason));
        return whole.HasBrokenVector ? null : whole.Finish(new JobOutput.Finished(reason, replay.Complete(statistics)));
    }

    private static void Write(IBufferWriter<byte> body, JobRecord record, DateTimeOffset endedAt, IReadOnlyList<WholeOutput> answer)
    {
        if (record.Response is { } response)
        {
            using ResponseFormat ofResponse = new(ResponseHead.Of(response), isStream: false);
            ofResponse.WriteWhole(body, answer);
            return;
        }
        if (record.Embedding is { } form)
        {
            new OpenAI.EmbeddingsFormat(new(new() { Model = record.ModelName }, form.Dimensions, form.IsBase64)).WriteWhole(body, answer);
            return;
        }
        if (record.Shape is RequestShape.OpenAIChat or RequestShape.OpenAICompletion)
        {
            OpenAIRequest request = new([new InferenceRequest { Model = record.ModelName }], IsStream: false, IncludesUsage: false);
            using OpenAIFormat ofOpenAI = record.Shape == RequestShape.OpenAIChat
                ? new OpenAI.ChatFormat(request, new FixedTime(endedAt), record.Id)
                : new CompletionFormat(request, new FixedTime(endedAt), record.Id);
            ofOpenAI.WriteWhole(body, answer);
            return;
        }
        using OllamaFormat format = record.Shape == RequestShape.Chat
            ? new Ollama.ChatFormat(record.ModelName, new FixedTime(endedAt), record.Id)
            : new GenerateFormat(record.ModelName, new FixedTime(endedAt));
        format.WriteWhole(body, answer);
    }

    /// <summary>An answer says when it was made; this one was made when the job ended, however often it is asked for.</summary>
    private sealed class FixedTime(DateTimeOffset at) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => at;
    }
}
