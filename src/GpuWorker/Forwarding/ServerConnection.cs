using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Encodings.Web;
using System.Text.Json;
using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Forwarding;

/// <summary>HTTP to one server.</summary>
internal sealed class ServerConnection(HttpClient http, ForwardTarget target)
{
    private const int LongestError = 500;

    private static readonly MediaTypeHeaderValue Json = new("application/json", "utf-8");
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>An answer that the request is to blame for; any other may go away, or be another server's to give.</summary>
    private static readonly HttpStatusCode[] Invalid =
        [HttpStatusCode.BadRequest, HttpStatusCode.RequestEntityTooLarge, HttpStatusCode.UnprocessableEntity, HttpStatusCode.NotImplemented];

    public ForwardTarget Target => target;

    /// <exception cref="HttpRequestException">The server is away, or refuses.</exception>
    /// <exception cref="JsonException">It answered something else than JSON.</exception>
    /// <exception cref="OperationCanceledException"/>
    public Task<JsonElement> GetAsync(string path, CancellationToken cancellationToken) =>
        ReadAsync(new HttpRequestMessage(HttpMethod.Get, new Uri(target.Url, path)), cancellationToken);

    /// <inheritdoc cref="GetAsync"/>
    public Task<JsonElement> PostAsync(ServerRequest request, CancellationToken cancellationToken) => ReadAsync(Message(request), cancellationToken);

    /// <summary>The answer once its headers are there, whatever its status. Its disposal closes the connection if more is to come.</summary>
    /// <exception cref="HttpRequestException">The server is away.</exception>
    /// <exception cref="OperationCanceledException"/>
    public Task<HttpResponseMessage> SendAsync(ServerRequest request, CancellationToken cancellationToken) =>
        SendAsync(Message(request), cancellationToken);

    /// <summary>What an answer that is none means for the attempt.</summary>
    public async Task<AttemptEnd> FailureAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        string body = await response.Content.ReadAsStringAsync(cancellationToken);
        string message = MessageOf(body) ?? (body.Length is > 0 and <= LongestError ? body : response.ReasonPhrase ?? "no reason given");
        return Array.IndexOf(Invalid, response.StatusCode) >= 0
            ? new AttemptEnd { Reason = EndReason.Invalid, Error = message }
            : new AttemptEnd { Reason = EndReason.Failed, Error = $"{target} answered {(int)response.StatusCode}: {message}" };
    }

    /// <summary>The words of an error, in the forms that servers give it; null where it is none.</summary>
    public static string? MessageOf(JsonElement answer) => answer.Find("error") switch
    {
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        { ValueKind: JsonValueKind.Object } error => error.Text("message") ?? error.GetRawText(),
        null when answer.Text("object") == "error" => answer.Text("message"),
        _ => null,
    };

    private static string? MessageOf(string body)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            return MessageOf(document.RootElement) ?? document.RootElement.Text("detail");
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Written as bytes, without escapes that nobody needs: images make a body large.</summary>
    private HttpRequestMessage Message(ServerRequest request)
    {
        ArrayBufferWriter<byte> body = new();
        using (Utf8JsonWriter writer = new(body, Relaxed))
            request.Body.WriteTo(writer);
        return new(HttpMethod.Post, new Uri(target.Url, request.Path))
        {
            Content = new ReadOnlyMemoryContent(body.WrittenMemory) { Headers = { ContentType = Json } },
        };
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage message, CancellationToken cancellationToken)
    {
        using (message)
        {
            if (target.Key is { } key)
                message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
            return await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
    }

    private async Task<JsonElement> ReadAsync(HttpRequestMessage message, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(message, cancellationToken);
        response.EnsureSuccessStatusCode();
        using JsonDocument document = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(cancellationToken), default, cancellationToken);
        return document.RootElement.Clone();
    }
}
