using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.OpenAI.Responses;

/// <summary>The object <c>response</c> (https://platform.openai.com/docs/api-reference/responses/object).</summary>
internal static class ResponseJson
{
    public static string StatusOf(FinishReason reason) => reason == FinishReason.Length ? "incomplete" : "completed";

    /// <param name="status">queued, in_progress, completed, incomplete, failed or cancelled.</param>
    /// <param name="statistics">Null until it has its answer.</param>
    public static void Write(
        Utf8JsonWriter json, ResponseHead head, string status, IReadOnlyList<ResponseItem> items, JobStatistics? statistics = null, ApiError? error = null)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, ResponseId.Of(head.Id));
        json.WriteString("object"u8, "response"u8);
        json.WriteNumber("created_at"u8, head.CreatedAt.ToUnixTimeSeconds());
        json.WriteString("status"u8, status);
        // By the same clock as the beginning: what it took, its job knows.
        if (status == "completed" && statistics is not null)
            json.WriteNumber("completed_at"u8, (head.CreatedAt + statistics.TotalDuration).ToUnixTimeSeconds());
        else
            json.WriteNull("completed_at"u8);
        WriteError(json, status, error);
        WriteIncomplete(json, status);
        json.WriteStartArray("output"u8);
        foreach (ResponseItem item in items)
            item.Write(json, status);
        json.WriteEndArray();
        WriteUsage(json, statistics);
        foreach (JsonProperty setting in head.Settings.EnumerateObject())
            setting.WriteTo(json);
        json.WriteEndObject();
    }

    private static void WriteError(Utf8JsonWriter json, string status, ApiError? error)
    {
        if (status != "failed" || error is null)
        {
            json.WriteNull("error"u8);
            return;
        }
        json.WriteStartObject("error"u8);
        json.WriteString("code"u8, error.Status switch
        {
            >= 400 and < 429 => "invalid_prompt",
            429 => "rate_limit_exceeded",
            _ => "server_error",
        });
        json.WriteString("message"u8, OpenAIErrors.MessageOf(error));
        json.WriteEndObject();
    }

    private static void WriteIncomplete(Utf8JsonWriter json, string status)
    {
        if (status != "incomplete")
        {
            json.WriteNull("incomplete_details"u8);
            return;
        }
        json.WriteStartObject("incomplete_details"u8);
        json.WriteString("reason"u8, "max_output_tokens"u8);
        json.WriteEndObject();
    }

    private static void WriteUsage(Utf8JsonWriter json, JobStatistics? statistics)
    {
        if (statistics is null)
        {
            json.WriteNull("usage"u8);
            return;
        }
        json.WriteStartObject("usage"u8);
        json.WriteNumber("input_tokens"u8, statistics.PromptTokens);
        json.WriteStartObject("input_tokens_details"u8);
        json.WriteNumber("cached_tokens"u8, statistics.CachedTokens);
        // What OpenAI bills for: here nothing is.
        json.WriteNumber("cache_write_tokens"u8, 0);
        json.WriteEndObject();
        json.WriteNumber("output_tokens"u8, statistics.Tokens);
        json.WriteStartObject("output_tokens_details"u8);
        json.WriteNumber("reasoning_tokens"u8, statistics.ReasoningTokens);
        json.WriteEndObject();
        json.WriteNumber("total_tokens"u8, statistics.PromptTokens + statistics.Tokens);
        json.WriteEndObject();
    }
}
