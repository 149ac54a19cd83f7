using System.Buffers;
using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Anthropic;

/// <summary>
/// Answers of <c>/v1/messages</c> (https://docs.anthropic.com/en/api/messages-streaming): a message of content blocks, and as a stream
/// message_start, for each block content_block_start, _delta and _stop, then message_delta and message_stop; ping in between.
/// </summary>
/// <param name="request">What is answered.</param>
/// <param name="requestId">Stands in errors.</param>
/// <param name="time">For ids.</param>
internal sealed class MessagesFormat(MessagesRequest request, string requestId, TimeProvider time) : IAnswerFormat, IDisposable
{
    private static readonly JobStatistics NothingYet =
        new() { TotalDuration = default, LoadDuration = default, PromptTokens = 0, PromptDuration = default, Tokens = 0, EvalDuration = default, Attempts = 0 };

    private readonly MessageEvents _events = new();
    private readonly string _id = "msg_" + JobId.New(time);
    private bool _hasBegun;
    private BlockKind _open;
    private int _blocks;
    private int _calls;

    public string StreamContentType => ServerSentEvents.ContentType;

    public void WriteDelta(IBufferWriter<byte> output, int choice, JobOutput.Delta delta)
    {
        Begin(output);
        if (delta.Thinking.Length > 0 && request.ShowsThinking)
        {
            Open(output, BlockKind.Thinking);
            WriteBlockDelta(output, "thinking_delta", "thinking", delta.Thinking);
        }
        if (delta.Text.Length > 0)
        {
            Open(output, BlockKind.Text);
            WriteBlockDelta(output, "text_delta", "text", delta.Text);
        }
        foreach (ToolCall call in delta.ToolCalls)
        {
            Open(output, BlockKind.ToolUse, call.Name);
            WriteBlockDelta(output, "input_json_delta", "partial_json", call.Arguments.GetRawText());
            _calls++;
        }
    }

    public void WriteHeartbeat(IBufferWriter<byte> output)
    {
        Begin(output);
        WritePing(output);
    }

    public void WriteEnd(IBufferWriter<byte> output, int choice, JobOutput.Finished finished)
    {
        Begin(output);
        Close(output);
        Utf8JsonWriter json = _events.Begin("message_delta");
        json.WriteStartObject("delta"u8);
        WriteStop(json, finished, _calls > 0);
        json.WriteEndObject();
        WriteUsage(json, finished.Statistics);
        _events.End(output);
        _events.Begin("message_stop");
        _events.End(output);
    }

    public void WriteError(IBufferWriter<byte> output, ApiError error)
    {
        AnthropicErrors shape = new();
        if (!request.IsStream)
        {
            shape.Write(output, error, requestId);
            return;
        }
        ArrayBufferWriter<byte> body = new();
        shape.Write(body, error, requestId);
        ServerSentEvents.WriteEvent(output, "error", body.WrittenSpan);
    }

    public void WriteWhole(IBufferWriter<byte> output, IReadOnlyList<WholeOutput> choices)
    {
        (JobOutput.Delta answer, _, JobOutput.Finished finished) = choices[0];
        using Utf8JsonWriter json = new(output, Json.Writer);
        json.WriteStartObject();
        WriteHead(json);
        json.WriteStartArray("content"u8);
        if (answer.Thinking.Length > 0 && request.ShowsThinking)
            WriteBlock(json, BlockKind.Thinking, answer.Thinking, null);
        if (answer.Text.Length > 0)
            WriteBlock(json, BlockKind.Text, answer.Text, null);
        foreach (ToolCall call in answer.ToolCalls)
            WriteBlock(json, BlockKind.ToolUse, call.Name, call.Arguments);
        json.WriteEndArray();
        WriteStop(json, finished, answer.ToolCalls.Count > 0);
        WriteUsage(json, finished.Statistics);
        json.WriteEndObject();
    }

    public void Dispose() => _events.Dispose();

    private void Begin(IBufferWriter<byte> output)
    {
        if (_hasBegun)
            return;
        _hasBegun = true;
        Utf8JsonWriter json = _events.Begin("message_start");
        json.WriteStartObject("message"u8);
        WriteHead(json);
        json.WriteStartArray("content"u8);
        json.WriteEndArray();
        json.WriteNull("stop_reason"u8);
        json.WriteNull("stop_sequence"u8);
        // How long the prompt is its worker says at the end; message_delta has it.
        WriteUsage(json, NothingYet);
        json.WriteEndObject();
        _events.End(output);
    }

    /// <summary>Opens a block, unless one of that kind is open and takes more; each call is one of its own.</summary>
    private void Open(IBufferWriter<byte> output, BlockKind kind, string name = "")
    {
        if (_open == kind && kind != BlockKind.ToolUse)
            return;
        Close(output);
        Utf8JsonWriter json = _events.Begin("content_block_start");
        json.WriteNumber("index"u8, _blocks);
        json.WritePropertyName("content_block"u8);
        WriteBlock(json, kind, kind == BlockKind.ToolUse ? name : "", null);
        _events.End(output);
        _open = kind;
        if (_blocks == 0)
            WritePing(output);
    }

    private void Close(IBufferWriter<byte> output)
    {
        if (_open == BlockKind.None)
            return;
        if (_open == BlockKind.Thinking)
            WriteBlockDelta(output, "signature_delta", "signature", Signature);
        _events.Begin("content_block_stop").WriteNumber("index"u8, _blocks);
        _events.End(output);
        _open = BlockKind.None;
        _blocks++;
    }

    /// <summary>Clients send it back and ask for one; nothing is signed here, and none is checked.</summary>
    private string Signature => _id;

    private void WriteBlockDelta(IBufferWriter<byte> output, string type, string name, string text)
    {
        Utf8JsonWriter json = _events.Begin("content_block_delta");
        json.WriteNumber("index"u8, _blocks);
        json.WriteStartObject("delta"u8);
        json.WriteString("type"u8, type);
        json.WriteString(name, text);
        json.WriteEndObject();
        _events.End(output);
    }

    private void WritePing(IBufferWriter<byte> output)
    {
        _events.Begin("ping");
        _events.End(output);
    }

    private void WriteHead(Utf8JsonWriter json)
    {
        json.WriteString("id"u8, _id);
        json.WriteString("type"u8, "message"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteString("model"u8, request.Inference.Model);
    }

    /// <param name="text">Of a call its tool's name.</param>
    /// <param name="input">Of a call; null: to come.</param>
    private void WriteBlock(Utf8JsonWriter json, BlockKind kind, string text, JsonElement? input)
    {
        json.WriteStartObject();
        switch (kind)
        {
            case BlockKind.Thinking:
                json.WriteString("type"u8, "thinking"u8);
                json.WriteString("thinking"u8, text);
                json.WriteString("signature"u8, text.Length > 0 ? Signature : "");
                break;
            case BlockKind.Text:
                json.WriteString("type"u8, "text"u8);
                json.WriteString("text"u8, text);
                break;
            default:
                json.WriteString("type"u8, "tool_use"u8);
                json.WriteString("id"u8, "toolu_" + JobId.New(time));
                json.WriteString("name"u8, text);
                json.WritePropertyName("input"u8);
                if (input is { } arguments)
                    arguments.WriteTo(json);
                else
                    json.WriteRawValue("{}"u8, skipInputValidation: true);
                break;
        }
        json.WriteEndObject();
    }

    /// <summary>A stop of the model's own, from its Modelfile, is the end of its turn: only what the client gave is a stop sequence to it.</summary>
    private void WriteStop(Utf8JsonWriter json, JobOutput.Finished finished, bool hasCalls)
    {
        string? stop = finished.StoppedBy is { } found && request.Inference.Options.Stop?.Contains(found) == true ? found : null;
        string reason = finished.Reason == FinishReason.Length ? "max_tokens" : stop is not null ? "stop_sequence" : hasCalls ? "tool_use" : "end_turn";
        json.WriteString("stop_reason"u8, reason);
        json.WriteString("stop_sequence"u8, stop);
    }

    /// <summary>Tokens whose state was still there are apart, as with a cache that is read.</summary>
    private static void WriteUsage(Utf8JsonWriter json, JobStatistics statistics)
    {
        json.WriteStartObject("usage"u8);
        json.WriteNumber("input_tokens"u8, statistics.PromptTokens - statistics.CachedTokens);
        json.WriteNumber("cache_creation_input_tokens"u8, 0);
        json.WriteNumber("cache_read_input_tokens"u8, statistics.CachedTokens);
        json.WriteNumber("output_tokens"u8, statistics.Tokens);
        json.WriteEndObject();
    }

    private enum BlockKind
    {
        None,
        Thinking,
        Text,
        ToolUse,
    }
}
