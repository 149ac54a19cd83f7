using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace OllamaMax.Chaos.Tests;

/// <summary>An answer that is longer than any test, for a slot that is to be taken until this is disposed: its client leaves then.</summary>
internal sealed class Filler : IDisposable
{
    private readonly HttpResponseMessage _response;

    private Filler(HttpResponseMessage response) => _response = response;

    /// <summary>Waits until a worker has begun it.</summary>
    public static async Task<Filler> BeginAsync(HttpClient http, CancellationToken cancellationToken)
    {
        JsonObject body = (Question.Long with { Tokens = 1_000_000 }).Body(isStreamed: true);
        body["shift"] = true;
        using HttpRequestMessage request = new(HttpMethod.Post, "/api/generate") { Content = JsonContent.Create(body) };
        HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.StatusCode != HttpStatusCode.OK)
            throw new InvalidOperationException($"It was refused: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync(cancellationToken)}");
        Stream stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        // Of a line with text: who waits is sent heartbeats, empty lines.
        byte[] first = new byte[1];
        do
            await stream.ReadExactlyAsync(first, cancellationToken);
        while (first[0] != (byte)'{');
        return new(response);
    }

    public void Dispose() => _response.Dispose();
}
