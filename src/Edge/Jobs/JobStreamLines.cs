using System.Buffers;
using System.Globalization;
using System.Text.Json;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Edge.Jobs;

/// <summary>
/// The lines of a job's stream: NDJSON <c>{"offset":…,"text":…}</c> with the number of tokens so far, the last one with <c>done</c> and the
/// figures; or the same as server-sent events, with the offset as id.
/// </summary>
internal sealed class JobStreamLines(IBufferWriter<byte> output, bool isEvents) : IJobStreamLines
{
    private readonly LineFrames _frames = new(output, isEvents);

    public string ContentType => _frames.ContentType;

    public bool HasWritten => _frames.HasWritten;

    public void Flushed() => _frames.Flushed();

    public void WriteStart()
    {
        // The head alone tells a reader that it is connected.
    }

    /// <summary>Tokens without text yet are no line: the next one counts them in.</summary>
    public void WriteDelta(JobOutput.Delta delta)
    {
        if (delta is { Text: "", Thinking: "", ToolCalls.Count: 0 })
            return;
        using (Utf8JsonWriter json = Begin(delta.Tokens))
        {
            WriteContent(json, delta.Text, delta.Thinking, delta.ToolCalls);
            json.WriteEndObject();
        }
        _frames.End(delta.Tokens.ToString(CultureInfo.InvariantCulture));
    }

    public void WriteHeartbeat(int offset)
    {
        if (_frames.IsEvents)
        {
            _frames.Comment();
            return;
        }
        using (Utf8JsonWriter json = Begin(offset))
        {
            json.WriteString("text"u8, "");
            json.WriteEndObject();
        }
        _frames.End(id: null);
    }

    /// <remarks>What <paramref name="last"/> has must not be a line of its own: who was cut off after that would get it again.</remarks>
    public void WriteEnd(JobRecord? record, int offset, JobOutput.Delta? last)
    {
        using (Utf8JsonWriter json = Begin(offset))
        {
            WriteContent(json, last?.Text ?? "", last?.Thinking ?? "", last?.ToolCalls ?? []);
            json.WriteBoolean("done"u8, true);
            json.WriteString("status"u8, record is null ? "deleted" : JobAnswer.NameOf(record.Status));
            if (record?.Error is { } error)
                json.WriteString("error"u8, error.Message);
            if (record is { Statistics: { } statistics, Reason: { } reason })
            {
                json.WriteString("done_reason"u8, JsonNamingPolicy.SnakeCaseLower.ConvertName(reason.ToString()));
                WriteFigures(json, statistics);
            }
            json.WriteEndObject();
        }
        _frames.End("end");
    }

    /// <summary>The fields <c>text</c>, and where there are any <c>thinking</c> and <c>tool_calls</c>.</summary>
    public static void WriteContent(Utf8JsonWriter json, string text, string thinking, IReadOnlyList<ToolCall> calls)
    {
        json.WriteString("text"u8, text);
        if (thinking.Length > 0)
            json.WriteString("thinking"u8, thinking);
        if (calls.Count > 0)
            WriteToolCalls(json, calls);
    }

    private static void WriteFigures(Utf8JsonWriter json, JobStatistics statistics)
    {
        json.WriteNumber("total_duration"u8, Nanoseconds(statistics.TotalDuration));
        json.WriteNumber("load_duration"u8, Nanoseconds(statistics.LoadDuration));
        json.WriteNumber("prompt_eval_count"u8, statistics.PromptTokens);
        json.WriteNumber("prompt_eval_duration"u8, Nanoseconds(statistics.PromptDuration));
        json.WriteNumber("eval_count"u8, statistics.Tokens);
        json.WriteNumber("eval_duration"u8, Nanoseconds(statistics.EvalDuration));
        json.WriteNumber("attempts"u8, statistics.Attempts);
    }

    private static void WriteToolCalls(Utf8JsonWriter json, IReadOnlyList<ToolCall> calls)
    {
        json.WriteStartArray("tool_calls"u8);
        foreach (ToolCall call in calls)
        {
            json.WriteStartObject();
            json.WriteStartObject("function"u8);
            json.WriteString("name"u8, call.Name);
            json.WritePropertyName("arguments"u8);
            call.Arguments.WriteTo(json);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static long Nanoseconds(TimeSpan duration) => duration.Ticks * TimeSpan.NanosecondsPerTick;

    private Utf8JsonWriter Begin(int offset)
    {
        Utf8JsonWriter json = _frames.Begin();
        json.WriteNumber("offset"u8, offset);
        return json;
    }
}
