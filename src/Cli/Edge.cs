using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OllamaMax.Cli;

/// <summary>The edge's public API: this tool knows nothing that others cannot call.</summary>
internal sealed class Edge : IDisposable
{
    /// <summary>Half a minute with the waits between them: longer than an edge takes to start anew.</summary>
    private const int MostTries = 6;

    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);

    private readonly HttpClient _http;

    /// <param name="address">Of the edge; a path in it stays.</param>
    /// <param name="key">Null: none is sent.</param>
    public Edge(Uri address, string? key)
    {
        Address = new Uri(address.ToString().TrimEnd('/') + "/");
        // Streams last as long as answers do; the server says when it gives up.
        _http = new HttpClient { BaseAddress = Address, Timeout = Timeout.InfiniteTimeSpan };
        HasKey = key is not null;
        if (HasKey)
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    public Uri Address { get; }

    public bool HasKey { get; }

    /// <exception cref="EdgeException">No success.</exception>
    public Task<JsonElement> GetAsync(string path, CancellationToken cancellationToken) => CallAsync(HttpMethod.Get, path, null, cancellationToken);

    /// <inheritdoc cref="GetAsync"/>
    public Task<JsonElement> PostAsync(string path, JsonObject? body, CancellationToken cancellationToken) =>
        CallAsync(HttpMethod.Post, path, body is null ? null : Json(body), cancellationToken);

    /// <summary>Posts what is to be done once: under a key of its own, and so again where the answer was lost.</summary>
    /// <inheritdoc cref="GetAsync"/>
    public async Task<JsonElement> SubmitAsync(string path, JsonObject body, CancellationToken cancellationToken)
    {
        string key = Guid.NewGuid().ToString();
        for (int tries = 1; ; tries++)
        {
            using HttpRequestMessage request = new(HttpMethod.Post, path) { Content = Json(body), Headers = { { "Idempotency-Key", key } } };
            try
            {
                return await CallAsync(request, cancellationToken);
            }
            catch (EdgeException e) when (tries < MostTries && (e.MayHaveArrived || (e.MayPass && tries > 1)))
            {
                await Task.Delay(FirstWait * Math.Pow(2, tries - 1), TimeProvider.System, cancellationToken);
            }
        }
    }

    /// <inheritdoc cref="GetAsync"/>
    public Task<JsonElement> PatchAsync(string path, JsonObject body, CancellationToken cancellationToken) => CallAsync(HttpMethod.Patch, path, Json(body), cancellationToken);

    /// <inheritdoc cref="GetAsync"/>
    /// <returns>What was answered; <see cref="JsonValueKind.Undefined"/> for nothing.</returns>
    public async Task<JsonElement> CallAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(method, path) { Content = content };
        return await CallAsync(request, cancellationToken);
    }

    /// <summary>Calls, and gives the answer out as it comes, one JSON value per line.</summary>
    /// <inheritdoc cref="GetAsync"/>
    public async IAsyncEnumerable<JsonElement> StreamAsync(
        HttpMethod method, string path, JsonObject? body, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(method, path, body is null ? null : Json(body), cancellationToken);
        using StreamReader reader = new(await response.Content.ReadAsStreamAsync(cancellationToken), Encoding.UTF8);
        while (await ReadAsync(() => reader.ReadLineAsync(cancellationToken).AsTask()) is { } line)
        {
            if (string.IsNullOrWhiteSpace(line))
                continue;
            JsonElement value = Parse(line);
            // An error in the middle of a stream has the stream's status. That of a branch is not the whole job's.
            if (value.Text("error") is { } error && value.Number("branch") is null)
                throw new EdgeException(error, response.StatusCode);
            yield return value;
        }
    }

    /// <summary>Writes an answer's body to a file.</summary>
    /// <inheritdoc cref="GetAsync"/>
    public async Task DownloadAsync(string path, Stream to, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(HttpMethod.Get, path, null, cancellationToken);
        await response.Content.CopyToAsync(to, cancellationToken);
    }

    /// <summary>The answer as it is, whatever its status; its body is not read yet.</summary>
    /// <exception cref="EdgeException">Nobody answered.</exception>
    public async Task<HttpResponseMessage> TryAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(method, path) { Content = content };
        return await TryAsync(request, cancellationToken);
    }

    public void Dispose() => _http.Dispose();

    private static StringContent Json(JsonObject body) => new(body.ToJsonString(), Encoding.UTF8, "application/json");

    private static string Reason(HttpRequestException e) => e.GetBaseException() is SocketException socket ? socket.Message : e.GetBaseException().Message;

    private async Task<JsonElement> CallAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(request, cancellationToken);
        string text = await ReadAsync(() => response.Content.ReadAsStringAsync(cancellationToken));
        return text.Length == 0 ? default : Parse(text);
    }

    private async Task<HttpResponseMessage> TryAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            throw new EdgeException($"{Address} cannot be reached: {Reason(e)}", null, e);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(method, path) { Content = content };
        return await SendAsync(request, cancellationToken);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await TryAsync(request, cancellationToken);
        if (response.IsSuccessStatusCode)
            return response;
        using (response)
            throw new EdgeException(await ErrorOfAsync(response, cancellationToken), response.StatusCode);
    }

    /// <summary>All three APIs' shapes: <c>error</c> is a text, or has a <c>message</c>.</summary>
    private static async Task<string> ErrorOfAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        string text = await response.Content.ReadAsStringAsync(cancellationToken);
        string status = $"{(int)response.StatusCode} {response.ReasonPhrase}";
        try
        {
            JsonElement error = JsonElement.Parse(text).Member("error");
            return error.ValueKind == JsonValueKind.String ? error.GetString()! : error.Text("message") ?? status;
        }
        catch (JsonException)
        {
            // Not ours: a proxy's page, say.
            return $"{status} from {response.RequestMessage?.RequestUri?.GetLeftPart(UriPartial.Authority)}";
        }
    }

    private async Task<T> ReadAsync<T>(Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw new EdgeException($"{Address} broke off: {e.GetBaseException().Message}", null, e);
        }
    }

    private JsonElement Parse(string text)
    {
        try
        {
            return JsonElement.Parse(text);
        }
        catch (JsonException e)
        {
            throw new EdgeException($"{Address} does not speak this API; it answers what is no JSON", System.Net.HttpStatusCode.OK, e);
        }
    }
}
