using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using OllamaMax.Models;

namespace OllamaMax.LocalHost;

/// <summary>Waits until the edge says that a request will be answered.</summary>
internal sealed class Readiness(HttpClient http, Action<string> say, TimeProvider time)
{
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan SayEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromMinutes(2);

    /// <param name="edge">Its <c>/readyz</c> answers 200, or something else with what is missing.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="StartException">Two minutes were not enough.</exception>
    public async Task WaitAsync(Uri edge, CancellationToken cancellationToken)
    {
        Uri readyz = new(edge, "/readyz");
        long start = time.GetTimestamp();
        TimeSpan nextSay = SayEvery;
        while (await WhatIsMissingAsync(readyz, cancellationToken) is { } missing)
        {
            TimeSpan waited = time.GetElapsedTime(start);
            if (waited > GiveUpAfter)
                throw new StartException($"not ready after {waited.TotalSeconds:F0} s: {missing}");
            if (waited > nextSay)
            {
                say($"waiting: {missing}");
                nextSay += SayEvery;
            }
            await Task.Delay(AskEvery, time, cancellationToken);
        }
    }

    /// <summary>Has a first token generated, or a first text embedded: from then on the model is in memory and every part has been used once.</summary>
    /// <param name="edge">Where it listens.</param>
    /// <param name="model">The model.</param>
    /// <param name="key">A key that may infer; null where none is needed.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="StartException">The model cannot be run.</exception>
    public async Task WarmUpAsync(Uri edge, ModelView model, string? key, CancellationToken cancellationToken)
    {
        using HttpRequestMessage call = model.CanComplete
            ? Call("/api/generate", new { model = model.Name.ToString(), prompt = "Hello", stream = false, options = new { num_predict = 1 } })
            : Call("/api/embed", new { model = model.Name.ToString(), input = "Hello" });
        if (key is not null)
            call.Headers.Authorization = new("Bearer", key);
        if (await WhyNotAsync(call, cancellationToken) is { } reason)
            throw new StartException($"the model {model.Name} cannot be run: {reason}");

        HttpRequestMessage Call(string path, object body) => new(HttpMethod.Post, new Uri(edge, path)) { Content = JsonContent.Create(body) };
    }

    /// <returns>In one line; null: it was answered.</returns>
    private async Task<string?> WhyNotAsync(HttpRequestMessage call, CancellationToken cancellationToken)
    {
        try
        {
            using HttpResponseMessage answer = await http.SendAsync(call, cancellationToken);
            string body = await answer.Content.ReadAsStringAsync(cancellationToken);
            // An answer that was long in coming has its status before its error.
            return JsonNode.Parse(body)?["error"]?.ToString().ReplaceLineEndings(" ") ?? (answer.IsSuccessStatusCode ? null : $"status {(int)answer.StatusCode}");
        }
        catch (Exception e) when (e is HttpRequestException or JsonException)
        {
            return e.Message;
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"no answer within {http.Timeout.TotalSeconds:F0} s";
        }
    }

    private async Task<string?> WhatIsMissingAsync(Uri readyz, CancellationToken cancellationToken)
    {
        using HttpResponseMessage answer = await http.GetAsync(readyz, cancellationToken);
        return answer.IsSuccessStatusCode ? null : (await answer.Content.ReadAsStringAsync(cancellationToken)).ReplaceLineEndings(" ").Trim();
    }
}
