using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;

namespace OllamaMax.Edge.Http;

/// <summary>A body that is one JSON object, whatever its content type says (Ollama's clients send any or none).</summary>
internal sealed class JsonRequest : IDisposable
{
    private readonly RequestBody _body;
    private readonly JsonDocument _document;

    private JsonRequest(RequestBody body, JsonDocument document)
    {
        _body = body;
        _document = document;
    }

    /// <summary>The body as it came; valid until disposed.</summary>
    public ReadOnlySpan<byte> Bytes => _body.Bytes.Span;

    /// <summary>The top object. Elements that are to live longer than this must be cloned.</summary>
    public JsonFields Fields(FieldErrors errors) => new(_document.RootElement, "", errors);

    /// <inheritdoc cref="RequestBodyReader.ReadAsync"/>
    public static async ValueTask<Result<JsonRequest>> ReadAsync(HttpContext context, RequestBodyReader reader, int? most = null)
    {
        if ((await reader.ReadAsync(context, most)).Failed(out ApiError? error, out RequestBody? body))
            return error;
        Result<JsonRequest> result = Parse(body);
        if (result.Error is not null)
            body.Dispose();
        return result;
    }

    /// <summary>What the body says, or why it says nothing; nothing of the body is kept.</summary>
    public static async ValueTask<Result<T>> ReadAsync<T>(HttpContext context, RequestBodyReader reader, Func<JsonFields, Result<T>> read)
        where T : class
    {
        if ((await ReadAsync(context, reader)).Failed(out ApiError? error, out JsonRequest? body))
            return error;
        using (body)
            return read(body.Fields(new()));
    }

    public void Dispose()
    {
        _document.Dispose();
        _body.Dispose();
    }

    private static Result<JsonRequest> Parse(RequestBody body)
    {
        if (body.Bytes.IsEmpty)
            return ApiError.BadRequest("missing request body");
        if (!Utf8.IsValid(body.Bytes.Span))
            return ApiError.BadRequest("request body is not valid UTF-8");
        try
        {
            JsonDocument document = JsonDocument.Parse(body.Bytes, new() { MaxDepth = Json.MaxDepth });
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return new JsonRequest(body, document);
            document.Dispose();
            return ApiError.BadRequest("request body must be a JSON object");
        }
        catch (JsonException e)
        {
            return ApiError.BadRequest($"invalid JSON: {e.Message}");
        }
    }
}
