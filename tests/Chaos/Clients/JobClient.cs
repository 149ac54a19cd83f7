using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace OllamaMax.Chaos.Tests.Clients;

/// <summary>
/// A background job: submitted, and then read to its end, from where the last stream broke off. Once it has been accepted no outage is a reason
/// to have no answer, so whatever happens to the stream, it is asked for again.
/// </summary>
internal sealed class JobClient(HttpClient http) : IChaosClient
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(250);

    public async Task<Outcome> AskAsync(string id, Question question, Pulse pulse, CancellationToken cancellationToken)
    {
        string job;
        try
        {
            using HttpRequestMessage request = new(HttpMethod.Post, "/jobs") { Content = JsonContent.Create(question.Body(isStreamed: false)) };
            request.Headers.Add("x-request-id", id);
            using HttpResponseMessage response = await http.SendAsync(request, cancellationToken);
            JsonElement answer = await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
            if (!response.IsSuccessStatusCode)
                return new(id, question, "", null, $"{(int)response.StatusCode} {answer.GetProperty("error").GetString()}");
            job = answer.GetProperty("id").GetString()!;
        }
        catch (HttpRequestException e)
        {
            return new(id, question, "", null, $"connection: {e.Message}");
        }
        return await ReadAsync(job, question, pulse, cancellationToken);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<Outcome> ReadAsync(string job, Question question, Pulse pulse, CancellationToken cancellationToken)
    {
        StringBuilder text = new();
        int after = 0;
        using PeriodicTimer again = new(AskAgain);
        while (true)
        {
            try
            {
                using HttpResponseMessage response = await http.GetAsync(
                    string.Create(CultureInfo.InvariantCulture, $"/jobs/{job}/stream?after={after}"), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
                // Nobody deletes it. Asked on, it would count as one that is not answered yet.
                if (response.StatusCode == HttpStatusCode.NotFound)
                    return new(job, question, text.ToString(), null, $"{Outcome.Lost}: {await response.Content.ReadAsStringAsync(cancellationToken)}");
                using StreamReader reader = new(await response.Content.ReadAsStreamAsync(cancellationToken));
                while (response.IsSuccessStatusCode && await reader.ReadLineAsync(cancellationToken) is { } line)
                {
                    if (line.Length == 0)
                        continue;
                    JsonElement json = JsonSerializer.Deserialize<JsonElement>(line);
                    if (json.TryGetProperty("text", out JsonElement piece))
                        text.Append(piece.GetString());
                    if (json.TryGetProperty("offset", out JsonElement offset))
                        after = offset.GetInt32();
                    pulse.Beat();
                    if (json.TryGetProperty("done", out JsonElement done) && done.GetBoolean())
                        return End(job, question, text.ToString(), json);
                }
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                // The edge is gone, or was; the job is not.
            }
            await again.WaitForNextTickAsync(cancellationToken);
        }
    }

    private static Outcome End(string job, Question question, string text, JsonElement last)
    {
        int? tokens = last.TryGetProperty("eval_count", out JsonElement count) ? count.GetInt32() : null;
        string status = last.GetProperty("status").GetString()!;
        string? error = last.TryGetProperty("error", out JsonElement reason) ? reason.GetString() : null;
        return new(job, question, text, tokens, status == "completed" ? null : $"{status}: {error}");
    }
}
