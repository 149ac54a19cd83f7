using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace OllamaMax.Orchestrations.Tests.Edge;

/// <summary>What clients do with batches.</summary>
internal static class BatchCalls
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A line of the input.</summary>
    public static string Line(string id, object body, string url = "/v1/chat/completions") => JsonSerializer.Serialize(new { custom_id = id, method = "POST", url, body });

    /// <summary>Answers the file's id.</summary>
    public static async Task<string> UploadAsync(this HttpClient http, string content)
    {
        using MultipartFormDataContent form = new() { { new StringContent("batch"), "purpose" }, { new StringContent(content), "file", "input.jsonl" } };
        using HttpResponseMessage response = await http.PostAsync("/v1/files", form, Cancellation);
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        return JsonDocument.Parse(text).RootElement.GetProperty("id").GetString()!;
    }

    public static async Task<HttpResponseMessage> PostBatchAsync(this HttpClient http, string file, string endpoint, string? key)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/batches") { Content = JsonContent.Create(new { input_file_id = file, endpoint, completion_window = "24h" }) };
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        return await http.SendAsync(request, Cancellation);
    }

    /// <summary>Answers the batch's id.</summary>
    public static async Task<string> CreateBatchAsync(this HttpClient http, string file, string endpoint = "/v1/chat/completions", string? key = null)
    {
        using HttpResponseMessage response = await http.PostBatchAsync(file, endpoint, key);
        JsonElement batch = await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        batch.GetProperty("status").GetString().ShouldBe("validating");
        return batch.GetProperty("id").GetString()!;
    }

    /// <summary>Waits for the batch's end.</summary>
    public static Task<JsonElement> EndOfBatchAsync(this HttpClient http, string id) =>
        http.BatchWhenAsync(id, batch => batch.GetProperty("status").GetString() is "completed" or "failed" or "cancelled" or "expired");

    public static async Task<JsonElement> BatchWhenAsync(this HttpClient http, string id, Func<JsonElement, bool> isReached)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            JsonElement batch = await http.GetFromJsonAsync<JsonElement>($"/v1/batches/{id}", Cancellation);
            if (isReached(batch))
                return batch;
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }

    /// <summary>The lines of a file.</summary>
    public static async Task<JsonElement[]> LinesAsync(this HttpClient http, string file) =>
        [.. (await http.GetStringAsync($"/v1/files/{file}/content", Cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
}
