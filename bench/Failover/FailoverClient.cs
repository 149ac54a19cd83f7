using System.Diagnostics;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace OllamaMax.Bench.Failover;

/// <summary>What a client got.</summary>
/// <param name="Text">All of it.</param>
/// <param name="Stamps">When each piece of it was read.</param>
/// <param name="Tokens">As the last line says; null: there was none, or an error.</param>
internal sealed record FailoverAnswer(string Text, IReadOnlyList<long> Stamps, int? Tokens);

/// <summary>Asks the same question over and over, streamed; an error or a broken stream is an answer without an end.</summary>
internal sealed class FailoverClient(HttpClient http, string model)
{
    /// <param name="id">Of the request, for the logs.</param>
    /// <param name="tokens">Of the answer.</param>
    /// <param name="onPiece">Told the number of pieces read so far, after each.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<FailoverAnswer> AskAsync(string id, int tokens, Func<int, Task> onPiece, CancellationToken cancellationToken)
    {
        StringBuilder text = new();
        List<long> stamps = [];
        try
        {
            object body = new { model, prompt = "Go on", raw = true, options = new { temperature = 0.8, seed = 7, num_predict = tokens } };
            using HttpRequestMessage request = new(HttpMethod.Post, "/api/generate") { Content = JsonContent.Create(body) };
            request.Headers.Add("x-request-id", id);
            using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            using StreamReader reader = new(await response.Content.ReadAsStreamAsync(cancellationToken));
            while (response.IsSuccessStatusCode && await reader.ReadLineAsync(cancellationToken) is { } line)
            {
                JsonElement json = JsonSerializer.Deserialize<JsonElement>(line);
                if (json.TryGetProperty("error", out _))
                    break;
                if (json.GetProperty("response").GetString() is { Length: > 0 } piece)
                {
                    text.Append(piece);
                    stamps.Add(Stopwatch.GetTimestamp());
                    await onPiece(stamps.Count);
                }
                if (json.GetProperty("done").GetBoolean())
                    return new(text.ToString(), stamps, json.GetProperty("eval_count").GetInt32());
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            // What the client got is not whole: that is what is counted here.
        }
        return new(text.ToString(), stamps, null);
    }
}
