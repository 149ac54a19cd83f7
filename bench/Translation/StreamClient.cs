using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace OllamaMax.Bench.Translation;

/// <summary>Asks for streamed answers and keeps the pieces.</summary>
internal sealed class StreamClient(HttpClient http, string model, int tokens)
{
    private static readonly MediaTypeHeaderValue s_json = new("application/json");

    /// <summary>The pieces of text, as they came.</summary>
    public async Task<IReadOnlyList<string>> AskAsync(AnswerApi api, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, api.Path) { Content = new StringContent(api.Body(model, tokens), Encoding.UTF8, s_json) };
        using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        response.EnsureSuccessStatusCode();
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync(cancellationToken));
        List<string> pieces = [];
        while (await lines.ReadLineAsync(cancellationToken) is { } line)
        {
            string data = line.StartsWith("data: ", StringComparison.Ordinal) ? line["data: ".Length..] : line;
            // The other lines of events have no object.
            if (!data.StartsWith('{'))
                continue;
            using JsonDocument json = JsonDocument.Parse(data);
            if (json.RootElement.TryGetProperty("error", out JsonElement error))
                throw new InvalidOperationException($"{api.Name}: {error}");
            if (api.TextOf(json.RootElement) is { Length: > 0 } piece)
                pieces.Add(piece);
        }
        return pieces;
    }
}
