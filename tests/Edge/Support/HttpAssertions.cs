using System.Net;
using System.Text.Json;

namespace OllamaMax.Edge.Tests.Support;

internal static class HttpAssertions
{
    public static Task<string> TextAsync(this HttpResponseMessage response) =>
        response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

    /// <summary>The message of an error in Ollama's shape: an object with one field.</summary>
    public static async Task<string> ErrorAsync(this HttpResponseMessage response, HttpStatusCode status)
    {
        string text = await response.TextAsync();
        response.StatusCode.ShouldBe(status, text);
        response.Headers.Contains("x-request-id").ShouldBeTrue();
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        using JsonDocument json = JsonDocument.Parse(text);
        JsonProperty only = json.RootElement.EnumerateObject().ShouldHaveSingleItem();
        only.Name.ShouldBe("error");
        return only.Value.GetString()!;
    }

    /// <summary>The data of server-sent events that have no names.</summary>
    public static async Task<string[]> EventsAsync(this HttpResponseMessage response)
    {
        const string data = "data: ";
        string text = await response.TextAsync();
        text.ShouldEndWith("\n\n");
        string[] events = text[..^2].Split("\n\n");
        events.ShouldAllBe(one => one.StartsWith(data, StringComparison.Ordinal));
        return [.. events.Select(one => one[data.Length..])];
    }

    public static async Task<string[]> LinesAsync(this HttpResponseMessage response)
    {
        string text = await response.TextAsync();
        text.ShouldEndWith("\n");
        return text[..^1].Split('\n');
    }
}
