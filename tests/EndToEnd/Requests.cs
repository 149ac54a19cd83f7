using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using OllamaMax.TestKit;

namespace OllamaMax.EndToEnd.Tests;

/// <summary>What a client asks.</summary>
internal static class Requests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static HttpClient Client(this LocalSystem system) => LeavingClient.To(system.BaseAddress);

    /// <summary>The demo model's answer, whole.</summary>
    public static async Task<string> ChatAsync(this HttpClient client, string text = "What are you?")
    {
        object request = new
        {
            model = "demo",
            messages = new[] { new { role = "user", content = text } },
            stream = false,
            options = new { temperature = 0 },
        };
        using HttpResponseMessage response = await client.PostAsJsonAsync("/api/chat", request, Cancellation);
        JsonElement answer = await response.JsonAsync();
        return answer.GetProperty("message").GetProperty("content").GetString()!;
    }

    /// <summary>Begins an answer of the endless model and reads its first line.</summary>
    public static Task<Stream> BeginEndlessAsync(this HttpClient client, int tokens = -1) => client.BeginEndlessAsync($"endless-{Guid.NewGuid():N}", tokens);

    public static async Task<Stream> BeginEndlessAsync(this HttpClient client, string requestId, int tokens = -1)
    {
        object body = new { model = LocalSystemFixture.Endless, prompt = "Go on", options = new { num_predict = tokens } };
        using HttpRequestMessage request = new(HttpMethod.Post, "/api/generate") { Content = JsonContent.Create(body) };
        request.Headers.Add("x-request-id", requestId);
        HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        Stream stream = await response.Content.ReadAsStreamAsync(Cancellation);
        int first = stream.ReadByte();
        first.ShouldBe('{');
        return stream;
    }

    public static async Task<JsonElement> JsonAsync(this HttpResponseMessage response)
    {
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        using JsonDocument json = JsonDocument.Parse(text);
        return json.RootElement.Clone();
    }

    /// <summary>The objects of a stream that <see cref="BeginEndlessAsync(HttpClient, int)"/> has begun, but for the first one's first byte.</summary>
    public static async Task<List<JsonElement>> LinesAsync(this Stream stream)
    {
        using StreamReader reader = new(stream, Encoding.UTF8);
        string[] lines = ('{' + await reader.ReadToEndAsync(Cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return [.. lines.Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
    }

    public static async Task<JsonElement> WorkersAsync(this HttpClient client)
    {
        using HttpResponseMessage response = await client.GetAsync("/cluster/workers", Cancellation);
        return (await response.JsonAsync()).GetProperty("workers");
    }

    /// <summary>Asks until a metric has this value: an answer to a scrape is kept for 300 ms.</summary>
    public static async Task MetricShouldBecomeAsync(this HttpClient client, string name, double value)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromMinutes(1));
        while (await client.MetricAsync(name) is var actual && actual != value)
            patience.IsCancellationRequested.ShouldBeFalse($"{name} stays at {actual}, not {value}");
    }

    /// <summary>The value of a metric without labels of its own; 0 for a counter that has not counted yet.</summary>
    public static async Task<double> MetricAsync(this HttpClient client, string name)
    {
        string text = await client.GetStringAsync("/metrics", Cancellation);
        string? line = text.Split('\n').FirstOrDefault(l => l.StartsWith(name + "{", StringComparison.Ordinal));
        return line is null ? 0 : double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }
}
