using System.Text.Json;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Anthropic;

/// <summary>
/// The field <c>thread</c>, by which a client has the server hold its conversation. None is held here: what the refusal says besides its message has clients that can do without,
/// such as the tool runner of Anthropic's SDK, send the request again as a whole.
/// </summary>
internal static class MessageThreads
{
    public const string Field = "thread";

    /// <summary>The error's <see cref="ApiError.Code"/>, and the word that clients know it by.</summary>
    public const string Unsupported = "thread_unsupported_request";

    public static void Refuse(JsonFields request)
    {
        if (request.IsSet(Field))
            request.Errors.Add(ApiError.NotSupported(Field) with { Code = Unsupported });
    }

    public static void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteStartObject("details"u8);
        json.WriteString("error_code"u8, Unsupported);
        json.WriteStartArray("unsupported"u8);
        json.WriteStringValue(Field);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
