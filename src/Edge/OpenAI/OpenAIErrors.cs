using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.OpenAI;

/// <summary><c>{"error":{"message","type","param","code"}}</c> (https://platform.openai.com/docs/guides/error-codes). SDKs raise by the status.</summary>
internal sealed class OpenAIErrors : ErrorShape
{
    public override void Write(IBufferWriter<byte> output, ApiError error, string requestId) => Write(output, error);

    public static void Write(IBufferWriter<byte> output, ApiError error)
    {
        using Utf8JsonWriter json = new(output, Json.Writer);
        json.WriteStartObject();
        json.WriteStartObject("error"u8);
        json.WriteString("message"u8, MessageOf(error));
        json.WriteString("type"u8, TypeOf(error.Status));
        json.WriteString("param"u8, error.Field);
        json.WriteString("code"u8, error.Code ?? CodeOf(error.Status));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>In the words of OpenAI's own that clients look for.</summary>
    public static string MessageOf(ApiError error) => error.Excess is { } excess
        ? $"This model's maximum context length is {excess.Context} tokens. However, your messages resulted in {excess.Tokens} tokens. Please reduce the length of the messages."
        : error.Message;

    private static string TypeOf(int status) => status switch
    {
        StatusCodes.Status429TooManyRequests => "rate_limit_error",
        >= 500 => "server_error",
        _ => "invalid_request_error",
    };

    private static string? CodeOf(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => "invalid_api_key",
        StatusCodes.Status403Forbidden => "insufficient_permissions",
        StatusCodes.Status429TooManyRequests => "rate_limit_exceeded",
        StatusCodes.Status503ServiceUnavailable => "service_unavailable",
        StatusCodes.Status504GatewayTimeout => "timeout",
        _ => null,
    };
}
