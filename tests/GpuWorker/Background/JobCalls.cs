using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace OllamaMax.GpuWorker.Tests.Background;

/// <summary>The calls of <c>/jobs</c>, as a client makes them.</summary>
internal static class JobCalls
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Submits a job of <c>/api/generate</c> and answers its id.</summary>
    public static async Task<string> SubmitAsync(this HttpClient http, object? options = null)
    {
        using HttpResponseMessage response = await http.PostAsJsonAsync("/jobs", new { model = "demo", prompt = "hi", options }, Cancellation);
        string body = await response.Content.ReadAsStringAsync(Cancellation);
        response.StatusCode.ShouldBe(HttpStatusCode.Accepted, body);
        return JsonDocument.Parse(body).RootElement.GetProperty("id").GetString()!;
    }

    public static async Task<JsonElement> ShowAsync(this HttpClient http, string id)
    {
        using HttpResponseMessage response = await http.GetAsync($"/jobs/{id}", Cancellation);
        string body = await response.Content.ReadAsStringAsync(Cancellation);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, body);
        return JsonDocument.Parse(body).RootElement;
    }

    /// <summary>Asks until the job is in this state.</summary>
    public static async Task<JsonElement> ShowWhenAsync(this HttpClient http, string id, string status)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            JsonElement job = await http.ShowAsync(id);
            if (job.GetProperty("status").GetString() == status)
                return job;
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }

    /// <summary>The lines of the job's stream from token <paramref name="after"/> on.</summary>
    public static async IAsyncEnumerable<JsonElement> StreamAsync(
        this HttpClient http, string id, int after = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using HttpResponseMessage response = await http.GetAsync(
            string.Create(CultureInfo.InvariantCulture, $"/jobs/{id}/stream?after={after}"), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/x-ndjson");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
            yield return JsonDocument.Parse(line).RootElement;
    }

    /// <summary>The whole text from token <paramref name="after"/> on, and the stream's last line.</summary>
    public static async Task<(string Text, JsonElement Last)> ReadAsync(this HttpClient http, string id, int after = 0)
    {
        List<JsonElement> lines = await http.StreamAsync(id, after, Cancellation).ToListAsync(Cancellation);
        lines[^1].GetProperty("done").GetBoolean().ShouldBeTrue();
        return (string.Concat(lines.Select(line => line.GetProperty("text").GetString())), lines[^1]);
    }

    public static async Task<HttpStatusCode> DeleteJobAsync(this HttpClient http, string id)
    {
        using HttpResponseMessage response = await http.DeleteAsync($"/jobs/{id}", Cancellation);
        return response.StatusCode;
    }
}
