using System.Buffers;
using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Jobs.Records;
using OllamaMax.Orchestrations.Batches;

namespace OllamaMax.Edge.Batches;

/// <summary>A line of a batch's output: <c>{"id","custom_id","response":{"status_code","request_id","body"},"error"}</c> (https://platform.openai.com/docs/api-reference/batch/request-output).</summary>
internal static class BatchOutputLine
{
    /// <param name="to">Where to append it, with its end of line.</param>
    /// <param name="id">The request's, unique in the batch.</param>
    /// <param name="customId">As its client gave it; null where it could not be read.</param>
    /// <param name="end">How it ended; null: it was never begun.</param>
    /// <param name="answer">Null: there is none, and an error instead.</param>
    public static void Write(ArrayBufferWriter<byte> to, string id, string? customId, LineEnd? end, JsonElement? answer)
    {
        using (Utf8JsonWriter json = new(to, Json.Writer))
        {
            json.WriteStartObject();
            json.WriteString("id"u8, $"batch_req_{id}");
            json.WriteString("custom_id"u8, customId);
            json.WritePropertyName("response"u8);
            if (answer is { } body)
            {
                json.WriteStartObject();
                json.WriteNumber("status_code"u8, 200);
                json.WriteString("request_id"u8, end?.JobId);
                json.WritePropertyName("body"u8);
                body.WriteTo(json);
                json.WriteEndObject();
            }
            else
            {
                json.WriteNullValue();
            }
            json.WritePropertyName("error"u8);
            if (answer is null)
                WriteError(json, end);
            else
                json.WriteNullValue();
            json.WriteEndObject();
        }
        to.Write("\n"u8);
    }

    private static void WriteError(Utf8JsonWriter json, LineEnd? end)
    {
        json.WriteStartObject();
        json.WriteString("code"u8, end is null or { Status: RecordStatus.Cancelled } ? "not_run" : "failed");
        json.WriteString("message"u8, end switch
        {
            null => "the batch ended before the line was begun",
            { Error: { } error } => error,
            // Retention may be shorter than a page takes, and weights may be broken.
            { Status: RecordStatus.Completed } => "the line's answer is not kept any more, or has numbers that JSON cannot say",
            _ => "the batch ended before the line did",
        });
        json.WriteEndObject();
    }
}
