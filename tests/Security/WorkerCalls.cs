using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.Security.Tests;

/// <summary>What a worker says to be let in, and to be known.</summary>
internal static class WorkerCalls
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>By a key that may do nothing else.</summary>
    public static async Task<string> JoinTokenAsync(this KeyedSystemFixture local)
    {
        using HttpResponseMessage response = await local.SendAsync(HttpMethod.Post, "/cluster/join-tokens", local.Keys["worker"]);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("token").GetString()!;
    }

    public static async Task<WorkerCapabilities> EnrolAsync(this KeyedSystemFixture local, ECDsa key)
    {
        using HttpResponseMessage response = await local.EnrolAsync(await local.JoinTokenAsync(), key);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync(ProtocolJson.Default.WorkerCapabilities, Cancellation))!;
    }

    public static Task<HttpResponseMessage> EnrolAsync(this KeyedSystemFixture local, string token, ECDsa key)
    {
        EnrolmentRequest request = new(ProtocolVersion.Current, "captured", Convert.ToBase64String(key.ExportSubjectPublicKeyInfo()));
        return local.SendAsync(HttpMethod.Post, "/cluster/enrolments", token, JsonContent.Create(request, ProtocolJson.Default.EnrolmentRequest));
    }
}
