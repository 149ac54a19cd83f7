using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using OllamaMax.Bench.Dispatch;
using OllamaMax.Bench.Reporting;

namespace OllamaMax.Bench.Auth;

/// <summary>
/// What a key and limits add to a request. The same edge takes the same request without a key (from the loopback), with a key that has no limits, and with one that has all of them,
/// in turns; the added time is that of each turn.
/// </summary>
internal static class AuthBench
{
    private const double MostAdded = 0.3;
    private const int Slots = 8;

    /// <summary>Far more than is asked for: nothing is refused.</summary>
    private const long Plenty = 1_000_000_000;

    private static readonly MediaTypeHeaderValue s_json = new("application/json");

    /// <summary>A call that needs the permission to infer and no worker: what is measured is not lost in what workers do.</summary>
    private static readonly Call s_count = new("count_tokens", "/v1/messages/count_tokens", """{"model":"demo","messages":[{"role":"user","content":"Hello"}]}""");

    private static readonly Call s_generate = new("generate", "/api/generate", """{"model":"demo","prompt":"Count.","options":{"num_predict":8}}""");

    public static async Task RunAsync(BenchOptions options, BenchResult result, CancellationToken cancellationToken)
    {
        AuthSizes sizes = options.Quick ? AuthSizes.Quick : AuthSizes.Full;
        options.Report("auth: starting the stage");
        await using Stage stage = await Stage.StartAsync(Slots, cancellationToken);
        string free = await CreateKeyAsync(stage, null, cancellationToken);
        string limited = await CreateKeyAsync(
            stage,
            new { requests_per_minute = 1_000_000, tokens_per_minute = Plenty, tokens_per_day = Plenty, tokens_per_month = Plenty },
            cancellationToken);
        Table table = result.Add(Table.OfTimes(
            "Time of a request without and with a key",
            "From the request's start to the end of its answer, one client, kept-alive connection; taken in turns. The limits are of requests and tokens a minute, a day and a month, " +
            "shared through Azurite: once a second a request waits for storage."));
        foreach (Call call in (Call[])[s_count, s_generate])
        {
            options.Report($"auth: {call.Name}");
            (Samples anonymous, Samples withKey, Samples withLimits, Samples added, Samples addedByLimits) = (new(), new(), new(), new(), new());
            for (int i = -sizes.WarmUp; i < sizes.Requests; i++)
            {
                TimeSpan without = await AskAsync(stage, call, key: null, cancellationToken);
                TimeSpan with = await AskAsync(stage, call, free, cancellationToken);
                TimeSpan all = await AskAsync(stage, call, limited, cancellationToken);
                if (i < 0)
                    continue;
                anonymous.Add(without);
                withKey.Add(with);
                withLimits.Add(all);
                added.Add(with - without);
                addedByLimits.Add(all - without);
            }
            table.Add($"{call.Name}, no key", anonymous.Times);
            table.Add($"{call.Name}, a key", withKey.Times);
            table.Add($"{call.Name}, a key with limits", withLimits.Times);
            table.Add($"{call.Name}, added by the key", added.Times);
            table.Add($"{call.Name}, added by key and limits", addedByLimits.Times);
            result.Aim($"added to {call.Name} by key and limits, median, ms", addedByLimits.Median, MostAdded, atMost: true);
        }
    }

    private static async Task<TimeSpan> AskAsync(Stage stage, Call call, string? key, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, call.Path) { Content = new StringContent(call.Body, Encoding.UTF8, s_json) };
        if (key is not null)
            request.Headers.Authorization = new("Bearer", key);
        long start = Stopwatch.GetTimestamp();
        using HttpResponseMessage response = await stage.Http.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
        TimeSpan time = Stopwatch.GetElapsedTime(start);
        response.EnsureSuccessStatusCode();
        return time;
    }

    private static async Task<string> CreateKeyAsync(Stage stage, object? limits, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await stage.Http.PostAsJsonAsync("/keys", new { name = "bench", limits }, cancellationToken);
        response.EnsureSuccessStatusCode();
        JsonElement answer = await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
        return answer.GetProperty("key").GetString()!;
    }

    private sealed record Call(string Name, string Path, string Body);
}
