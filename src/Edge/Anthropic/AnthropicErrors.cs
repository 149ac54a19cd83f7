using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Anthropic;

/// <summary><c>{"type":"error","error":{"type","message"},"request_id"}</c> (https://docs.anthropic.com/en/api/errors).</summary>
internal sealed class AnthropicErrors : ErrorShape
{
    /// <summary>What its clients know for "later": they wait and try again.</summary>
    private const int Overloaded = 529;

    public override int StatusOf(ApiError error) => error.Status == StatusCodes.Status503ServiceUnavailable ? Overloaded : error.Status;

    public override void Write(IBufferWriter<byte> output, ApiError error, string requestId)
    {
        using Utf8JsonWriter json = new(output, Json.Writer);
        json.WriteStartObject();
        json.WriteString("type"u8, "error"u8);
        json.WriteStartObject("error"u8);
        json.WriteString("type"u8, TypeOf(error.Status));
        json.WriteString("message"u8, error.Excess is { } excess ? $"prompt is too long: {excess.Tokens} tokens > {excess.Context} maximum" : error.Message);
        if (error.Code == MessageThreads.Unsupported)
            MessageThreads.WriteDetails(json);
        json.WriteEndObject();
        json.WriteString("request_id"u8, requestId);
        json.WriteEndObject();
    }

    private static string TypeOf(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => "authentication_error",
        StatusCodes.Status403Forbidden => "permission_error",
        StatusCodes.Status404NotFound => "not_found_error",
        StatusCodes.Status413PayloadTooLarge => "request_too_large",
        StatusCodes.Status429TooManyRequests => "rate_limit_error",
        StatusCodes.Status503ServiceUnavailable or Overloaded => "overloaded_error",
        StatusCodes.Status504GatewayTimeout => "timeout_error",
        >= 500 => "api_error",
        _ => "invalid_request_error",
    };
}
