using System.Buffers;
using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.OpenAI;

/// <summary>
/// What answers of <c>/v1/chat/completions</c> and <c>/v1/completions</c> share: the envelope
/// <c>{"id","object","created","model","choices":[…],"usage"}</c>, and the events of a stream up to <c>data: [DONE]</c>.
/// </summary>
internal abstract class OpenAIFormat : IAnswerFormat, IDisposable
{
    private readonly JsonEncodedText _model;
    private readonly string _idPrefix;
    private readonly string _kind;
    private readonly long _created;
    private readonly ChoiceState[] _choices;
    private readonly ArrayBufferWriter<byte> _event = new();
    private readonly Utf8JsonWriter _json;

    /// <param name="id">The answer's, without prefix; null: it is asked for once, and gets a new one.</param>
    protected OpenAIFormat(OpenAIRequest request, string idPrefix, string kind, TimeProvider time, string? id)
    {
        Request = request;
        _model = JsonEncodedText.Encode(request.Model, Json.Encoder);
        Id = id ?? JobId.New(time);
        _idPrefix = idPrefix;
        _kind = kind;
        _created = time.GetUtcNow().ToUnixTimeSeconds();
        _choices = [.. Enumerable.Range(0, request.Inferences.Count * request.ChoicesPerPrompt).Select(_ => new ChoiceState())];
        _json = new(_event, Json.Writer);
    }

    public string StreamContentType => ServerSentEvents.ContentType;

    protected OpenAIRequest Request { get; }

    /// <summary>The answer's, without prefix.</summary>
    protected string Id { get; }

    public void WriteDelta(IBufferWriter<byte> output, int choice, JobOutput.Delta delta)
    {
        ChoiceState state = Begin(output, choice);
        WriteChunk(output, choice, json => WriteDelta(json, choice, state, delta), finish: null);
    }

    public void WriteHeartbeat(IBufferWriter<byte> output) => ServerSentEvents.WriteComment(output);

    public void WriteEnd(IBufferWriter<byte> output, int choice, JobOutput.Finished finished)
    {
        ChoiceState state = Begin(output, choice);
        state.Finished = finished;
        WriteChunk(output, choice, WriteNothing, FinishOf(finished.Reason, state.Calls > 0));
        if (!Array.TrueForAll(_choices, one => one.Finished is not null))
            return;
        if (Request.IncludesUsage)
            WriteUsage(output);
        ServerSentEvents.WriteData(output, "[DONE]"u8);
    }

    public void WriteError(IBufferWriter<byte> output, ApiError error)
    {
        // In a stream an event, in the place of one object that object: which of them is asked for is known by the request.
        if (!Request.IsStream)
        {
            OpenAIErrors.Write(output, error);
            return;
        }
        _event.ResetWrittenCount();
        OpenAIErrors.Write(_event, error);
        ServerSentEvents.WriteData(output, _event.WrittenSpan);
    }

    public void WriteWhole(IBufferWriter<byte> output, IReadOnlyList<WholeOutput> choices)
    {
        _json.Reset(output);
        WriteHead(_kind);
        foreach ((int index, WholeOutput whole) in choices.Index())
        {
            _json.WriteStartObject();
            _json.WriteNumber("index"u8, index);
            WriteAnswer(_json, index, whole.Answer);
            WriteFinish(FinishOf(whole.Finished.Reason, whole.Answer.ToolCalls.Count > 0));
            _json.WriteEndObject();
        }
        _json.WriteEndArray();
        UsageJson.Write(_json, choices.Select(whole => whole.Finished.Statistics), Request.ChoicesPerPrompt);
        _json.WriteEndObject();
        _json.Flush();
    }

    public void Dispose() => _json.Dispose();

    /// <summary>What the first chunk of a choice says; nothing: there is none.</summary>
    protected abstract Action<Utf8JsonWriter>? Opening(int choice);

    /// <summary>The fields of a choice that bring a delta, logprobs included.</summary>
    protected abstract void WriteDelta(Utf8JsonWriter json, int choice, ChoiceState state, JobOutput.Delta delta);

    /// <summary>The same of a chunk that only ends a choice.</summary>
    protected abstract void WriteNothing(Utf8JsonWriter json);

    /// <summary>The fields of a choice that have its whole answer.</summary>
    protected abstract void WriteAnswer(Utf8JsonWriter json, int choice, JobOutput.Delta answer);

    private static string FinishOf(FinishReason reason, bool hasCalls) =>
        reason == FinishReason.Length ? "length" : hasCalls ? "tool_calls" : "stop";

    private ChoiceState Begin(IBufferWriter<byte> output, int choice)
    {
        ChoiceState state = _choices[choice];
        if (!state.HasBegun && Opening(choice) is { } opening)
            WriteChunk(output, choice, opening, finish: null);
        state.HasBegun = true;
        return state;
    }

    private void WriteChunk(IBufferWriter<byte> output, int choice, Action<Utf8JsonWriter> write, string? finish)
    {
        _event.ResetWrittenCount();
        _json.Reset(_event);
        WriteHead(ChunkKind);
        _json.WriteStartObject();
        _json.WriteNumber("index"u8, choice);
        write(_json);
        WriteFinish(finish);
        _json.WriteEndObject();
        _json.WriteEndArray();
        if (Request.IncludesUsage)
            _json.WriteNull("usage"u8);
        EndEvent(output);
    }

    private void WriteUsage(IBufferWriter<byte> output)
    {
        _event.ResetWrittenCount();
        _json.Reset(_event);
        WriteHead(ChunkKind);
        _json.WriteEndArray();
        UsageJson.Write(_json, _choices.Select(choice => choice.Finished!.Statistics), Request.ChoicesPerPrompt);
        EndEvent(output);
    }

    /// <summary>Kind of a chunk, where it differs from a whole answer's.</summary>
    protected virtual string ChunkKind => _kind;

    private void WriteHead(string kind)
    {
        _json.WriteStartObject();
        _json.WriteString("id"u8, _idPrefix + Id);
        _json.WriteString("object"u8, kind);
        _json.WriteNumber("created"u8, _created);
        _json.WriteString("model"u8, _model);
        _json.WriteStartArray("choices"u8);
    }

    private void WriteFinish(string? finish) => _json.WriteString("finish_reason"u8, finish);

    private void EndEvent(IBufferWriter<byte> output)
    {
        _json.WriteEndObject();
        _json.Flush();
        ServerSentEvents.WriteData(output, _event.WrittenSpan);
    }
}
