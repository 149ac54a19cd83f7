using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace OllamaMax.Chaos.Tests.Clients;

/// <summary><c>/api/generate</c> over HttpClient, streamed or in one piece.</summary>
internal sealed class GenerateClient(HttpClient http, bool isStreamed) : IChaosClient
{
    public async Task<Outcome> AskAsync(string id, Question question, Pulse pulse, CancellationToken cancellationToken)
    {
        StringBuilder text = new();
        try
        {
            using HttpRequestMessage request = new(HttpMethod.Post, "/api/generate") { Content = JsonContent.Create(question.Body(isStreamed)) };
            request.Headers.Add("x-request-id", id);
            using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            using StreamReader reader = new(await response.Content.ReadAsStreamAsync(cancellationToken));
            while (await reader.ReadLineAsync(cancellationToken) is { } line)
            {
                if (line.Length == 0)
                    continue;
                JsonElement json = JsonSerializer.Deserialize<JsonElement>(line);
                if (json.TryGetProperty("error", out JsonElement error))
                    return new(id, question, text.ToString(), null, $"{(int)response.StatusCode} {error.GetString()}");
                text.Append(json.GetProperty("response").GetString());
                pulse.Beat();
                if (json.GetProperty("done").GetBoolean())
                    return new(id, question, text.ToString(), json.GetProperty("eval_count").GetInt32(), null);
            }
            return new(id, question, text.ToString(), null, "the stream ended without an end");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return new(id, question, text.ToString(), null, $"connection: {e.Message}");
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
