using System.Text.Json;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.OpenAI;

/// <summary>
/// Answers of <c>/v1/chat/completions</c>: <c>"message":{"role","content","refusal","reasoning_content","reasoning","tool_calls"}</c>, and as a
/// stream <c>"delta"</c>, the role first. Reasoning is no part of OpenAI's API; it stands under both names that clients look for.
/// </summary>
internal sealed class ChatFormat(OpenAIRequest request, TimeProvider time, string? id = null) : OpenAIFormat(request, "chatcmpl-", "chat.completion", time, id)
{
    protected override string ChunkKind => "chat.completion.chunk";

    protected override Action<Utf8JsonWriter> Opening(int choice) => json =>
    {
        json.WriteStartObject("delta"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteString("content"u8, ""u8);
        json.WriteEndObject();
        json.WriteNull("logprobs"u8);
    };

    protected override void WriteDelta(Utf8JsonWriter json, int choice, ChoiceState state, JobOutput.Delta delta)
    {
        json.WriteStartObject("delta"u8);
        WriteReasoning(json, delta.Thinking);
        if (delta.Text.Length > 0)
            json.WriteString("content"u8, delta.Text);
        state.Calls = WriteCalls(json, choice, delta.ToolCalls, state.Calls, isStream: true);
        json.WriteEndObject();
        ChatLogprobsJson.Write(json, delta.Logprobs);
    }

    protected override void WriteNothing(Utf8JsonWriter json)
    {
        json.WriteStartObject("delta"u8);
        json.WriteEndObject();
        json.WriteNull("logprobs"u8);
    }

    protected override void WriteAnswer(Utf8JsonWriter json, int choice, JobOutput.Delta answer)
    {
        json.WriteStartObject("message"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteString("content"u8, answer.Text.Length == 0 && answer.ToolCalls.Count > 0 ? null : answer.Text);
        json.WriteNull("refusal"u8);
        WriteReasoning(json, answer.Thinking);
        WriteCalls(json, choice, answer.ToolCalls, 0, isStream: false);
        json.WriteEndObject();
        ChatLogprobsJson.Write(json, answer.Logprobs);
    }

    private static void WriteReasoning(Utf8JsonWriter json, string thinking)
    {
        if (thinking.Length == 0)
            return;
        json.WriteString("reasoning_content"u8, thinking);
        json.WriteString("reasoning"u8, thinking);
    }

    /// <summary>In a stream they are numbered, through the whole answer. Each leaves in one piece.</summary>
    /// <returns>Calls so far.</returns>
    private int WriteCalls(Utf8JsonWriter json, int choice, IEnumerable<ToolCall> calls, int before, bool isStream)
    {
        int count = before;
        foreach (ToolCall call in calls)
        {
            if (count == before)
                json.WriteStartArray("tool_calls"u8);
            json.WriteStartObject();
            if (isStream)
                json.WriteNumber("index"u8, count);
            json.WriteString("id"u8, CallIds.Of(Id, count, choice));
            json.WriteString("type"u8, "function"u8);
            json.WriteStartObject("function"u8);
            json.WriteString("name"u8, call.Name);
            json.WriteString("arguments"u8, call.Arguments.GetRawText());
            json.WriteEndObject();
            json.WriteEndObject();
            count++;
        }
        if (count > before)
            json.WriteEndArray();
        return count;
    }
}
