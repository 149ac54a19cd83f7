using System.Buffers;
using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Ollama;

/// <summary>What answers of <c>/api/chat</c> and <c>/api/generate</c> share; they differ in how the parts are wrapped. Key order is Ollama's.</summary>
internal abstract class OllamaFormat(string model, TimeProvider time) : IAnswerFormat, IDisposable
{
    private static readonly JobOutput.Delta Nothing = new("", 0);

    private readonly JsonEncodedText _model = JsonEncodedText.Encode(model, Json.Encoder);
    private Utf8JsonWriter? _json;

    public string StreamContentType => "application/x-ndjson";

    public void WriteDelta(IBufferWriter<byte> output, int choice, JobOutput.Delta delta)
    {
        Utf8JsonWriter json = Begin(output, delta);
        json.WriteBoolean("done"u8, false);
        LogprobsJson.Write(json, delta.Logprobs);
        End(json);
        output.Write("\n"u8);
    }

    /// <summary>A delta without text: clients append it and see no change.</summary>
    public void WriteHeartbeat(IBufferWriter<byte> output) => WriteDelta(output, 0, Nothing);

    public void WriteEnd(IBufferWriter<byte> output, int choice, JobOutput.Finished finished)
    {
        WriteWhole(output, [new WholeOutput(Nothing, [], finished)]);
        output.Write("\n"u8);
    }

    public void WriteError(IBufferWriter<byte> output, ApiError error)
    {
        OllamaErrors.Write(output, error.Message);
        output.Write("\n"u8);
    }

    public void WriteWhole(IBufferWriter<byte> output, IReadOnlyList<WholeOutput> choices)
    {
        WholeOutput whole = choices[0];
        JobOutput.Finished finished = whole.Finished;
        Utf8JsonWriter json = Begin(output, whole.Answer);
        json.WriteBoolean("done"u8, true);
        json.WriteString("done_reason"u8, JsonNamingPolicy.SnakeCaseLower.ConvertName(finished.Reason.ToString()));
        if (finished.Reason is not (FinishReason.Load or FinishReason.Unload))
        {
            WriteContext(json);
            WriteFigures(json, finished.Statistics);
        }
        LogprobsJson.Write(json, whole.Answer.Logprobs);
        End(json);
    }

    /// <summary>The prompt in the answer's place.</summary>
    public void WriteRendered(IBufferWriter<byte> output, string prompt)
    {
        Utf8JsonWriter json = Begin(output, Nothing);
        json.WriteBoolean("done"u8, false);
        json.WriteStartObject("_debug_info"u8);
        json.WriteString("rendered_template"u8, prompt);
        json.WriteEndObject();
        End(json);
    }

    public void Dispose() => _json?.Dispose();

    /// <summary>Text, reasoning and calls.</summary>
    protected abstract void WriteParts(Utf8JsonWriter json, JobOutput.Delta delta);

    /// <summary>What a later request goes on from, where the API has that.</summary>
    protected virtual void WriteContext(Utf8JsonWriter json)
    {
    }

    private static void WriteFigures(Utf8JsonWriter json, JobStatistics statistics)
    {
        json.WriteNumber("total_duration"u8, OllamaDuration.Of(statistics.TotalDuration));
        json.WriteNumber("load_duration"u8, OllamaDuration.Of(statistics.LoadDuration));
        json.WriteNumber("prompt_eval_count"u8, statistics.PromptTokens);
        json.WriteNumber("prompt_eval_duration"u8, OllamaDuration.Of(statistics.PromptDuration));
        json.WriteNumber("eval_count"u8, statistics.Tokens);
        json.WriteNumber("eval_duration"u8, OllamaDuration.Of(statistics.EvalDuration));
    }

    private Utf8JsonWriter Begin(IBufferWriter<byte> output, JobOutput.Delta delta)
    {
        if (_json is null)
            _json = new(output, Json.Writer);
        else
            _json.Reset(output);
        _json.WriteStartObject();
        _json.WriteString("model"u8, _model);
        _json.WriteString("created_at"u8, time.GetUtcNow().UtcDateTime);
        WriteParts(_json, delta);
        return _json;
    }

    private static void End(Utf8JsonWriter json)
    {
        json.WriteEndObject();
        json.Flush();
    }
}
