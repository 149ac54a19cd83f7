using System.Net.Http.Json;
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

    /// <summary>Has a first token generated: from then on the model is in memory and every part has been used once.</summary>
    /// <param name="edge">Where it listens.</param>
    /// <param name="model">The model.</param>
    /// <param name="key">A key that may infer; null where none is needed.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="StartException">The model cannot be run.</exception>
    public async Task WarmUpAsync(Uri edge, ModelName model, string? key, CancellationToken cancellationToken)
    {
        var request = new { model = model.ToString(), prompt = "Hello", stream = false, options = new { num_predict = 1 } };
        using HttpRequestMessage call = new(HttpMethod.Post, new Uri(edge, "/api/generate")) { Content = JsonContent.Create(request) };
        if (key is not null)
            call.Headers.Authorization = new("Bearer", key);
        using HttpResponseMessage answer = await http.SendAsync(call, cancellationToken);
        if (!answer.IsSuccessStatusCode)
            throw new StartException($"the model {model} cannot be run: {await answer.Content.ReadAsStringAsync(cancellationToken)}");
    }

    private async Task<string?> WhatIsMissingAsync(Uri readyz, CancellationToken cancellationToken)
    {
        using HttpResponseMessage answer = await http.GetAsync(readyz, cancellationToken);
        return answer.IsSuccessStatusCode ? null : (await answer.Content.ReadAsStringAsync(cancellationToken)).ReplaceLineEndings(" ").Trim();
    }
}
