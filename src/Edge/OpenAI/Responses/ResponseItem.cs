using System.Text;
using System.Text.Json;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.OpenAI.Responses;

/// <summary>An item of a response's output: <c>reasoning</c>, <c>message</c>, <c>function_call</c> or <c>custom_tool_call</c>.</summary>
/// <param name="type">One of these.</param>
/// <param name="responseId">Without its prefix.</param>
/// <param name="index">Its place in the output.</param>
internal sealed class ResponseItem(string type, string responseId, int index)
{
    public const string Reasoning = "reasoning";
    public const string Message = "message";
    public const string FunctionCall = "function_call";
    public const string CustomToolCall = "custom_tool_call";

    public string Type => type;

    public bool IsCall => type is FunctionCall or CustomToolCall;

    public string Id { get; } = ResponseId.OfOutput(type, responseId, index);

    public int Index => index;

    /// <summary>Of a call its arguments or its input.</summary>
    public StringBuilder Text { get; } = new();

    /// <summary>Of a message, where the request asks for them: those of all tokens that came with its text.</summary>
    public List<TokenText> Logprobs { get; } = [];

    /// <summary>Of a call.</summary>
    public string Name { get; init; } = "";

    /// <summary>Of a call whose name stands under one.</summary>
    public string? Namespace { get; init; }

    /// <summary>Of reasoning: whether the client is to have it in a form that it sends back.</summary>
    public bool IsCarried { get; init; }

    /// <summary>Of reasoning: whether it comes as its own summary, which is what clients show of it that ask for one. Nobody here writes another.</summary>
    public bool IsSummary { get; init; }

    /// <summary>The kind of its only part, as events name it.</summary>
    public string PartType => type == Message ? "output_text" : IsSummary ? "reasoning_summary_text" : "reasoning_text";

    /// <summary>Of a call: what its output names it by.</summary>
    public string CallId => CallIds.Of(responseId, index);

    /// <summary>Null while it is not at its end.</summary>
    public string? Status { get; set; }

    /// <param name="ending">Status to show where it has none yet.</param>
    public void Write(Utf8JsonWriter json, string ending)
    {
        bool isEmpty = (Status ?? ending) == "in_progress";
        json.WriteStartObject();
        json.WriteString("id"u8, Id);
        json.WriteString("type"u8, type);
        json.WriteString("status"u8, Status ?? ending);
        switch (type)
        {
            case FunctionCall or CustomToolCall:
                json.WriteString(type == FunctionCall ? "arguments"u8 : "input"u8, isEmpty ? "" : Text.ToString());
                json.WriteString("call_id"u8, CallId);
                json.WriteString("name"u8, Name);
                if (Namespace is not null)
                    json.WriteString("namespace"u8, Namespace);
                break;
            case Message:
                json.WriteString("role"u8, "assistant"u8);
                WriteParts(json, "content"u8, isEmpty);
                break;
            default:
                WriteParts(json, "summary"u8, isEmpty || !IsSummary);
                WriteParts(json, "content"u8, isEmpty || IsSummary);
                if (IsCarried && !isEmpty)
                    json.WriteString("encrypted_content"u8, CarriedReasoning.Of(Text.ToString()));
                break;
        }
        json.WriteEndObject();
    }

    /// <summary>The only part of a message or of reasoning.</summary>
    public void WritePart(Utf8JsonWriter json, string text)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, IsSummary ? "summary_text" : PartType);
        json.WriteString("text"u8, text);
        if (type == Message)
        {
            json.WriteStartArray("annotations"u8);
            json.WriteEndArray();
            ChatLogprobsJson.WriteTokens(json, "logprobs"u8, Logprobs);
        }
        json.WriteEndObject();
    }

    private void WriteParts(Utf8JsonWriter json, ReadOnlySpan<byte> name, bool isEmpty)
    {
        json.WriteStartArray(name);
        if (!isEmpty)
            WritePart(json, Text.ToString());
        json.WriteEndArray();
    }
}
