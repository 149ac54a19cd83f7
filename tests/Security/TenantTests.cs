using System.Net.Http.Json;
using System.Text.Json;

namespace OllamaMax.Security.Tests;

/// <summary>What one tenant has begun is not there for another.</summary>
public sealed class TenantTests(KeyedSystemFixture local)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Job_OfAnotherTenant_IsNotThere()
    {
        (_, string own) = await local.CreateKeyAsync(new { name = "own", tenant = "first" });
        (_, string other) = await local.CreateKeyAsync(new { name = "other", tenant = "second" });
        string id = await BeginAsync("/jobs", own, new { model = "demo", prompt = "x" });

        (await local.StatusAsync(HttpMethod.Get, $"/jobs/{id}", own)).ShouldBe(200);
        foreach (string path in (string[])[$"/jobs/{id}", $"/jobs/{id}/stream"])
            (await local.StatusAsync(HttpMethod.Get, path, other)).ShouldBe(404);
        (await local.StatusAsync(HttpMethod.Post, $"/jobs/{id}/subscribe", other)).ShouldBe(404);
        (await local.StatusAsync(HttpMethod.Delete, $"/jobs/{id}", other)).ShouldBe(404);
        (await ListAsync(other)).ShouldNotContain(id);
        (await ListAsync(own)).ShouldContain(id);
        // Who looks after the cluster sees that it is there.
        (await local.StatusAsync(HttpMethod.Get, $"/jobs/{id}", local.Keys["operator"])).ShouldBe(200);
    }

    [Fact]
    public async Task Response_OfAnotherTenant_IsNotThere()
    {
        (_, string own) = await local.CreateKeyAsync(new { name = "own", tenant = "first" });
        (_, string other) = await local.CreateKeyAsync(new { name = "other", tenant = "second" });
        string id = await BeginAsync("/v1/responses", own, new { model = "demo", input = "x", background = true });

        (await local.StatusAsync(HttpMethod.Get, $"/v1/responses/{id}", own)).ShouldBe(200);
        (await local.StatusAsync(HttpMethod.Get, $"/v1/responses/{id}", other)).ShouldBe(404);
        (await local.StatusAsync(HttpMethod.Get, $"/v1/responses/{id}/input_items", other)).ShouldBe(404);
        (await local.StatusAsync(HttpMethod.Post, $"/v1/responses/{id}/cancel", other)).ShouldBe(404);
        (await local.StatusAsync(HttpMethod.Delete, $"/v1/responses/{id}", other)).ShouldBe(404);
        (await local.StatusAsync(HttpMethod.Delete, $"/v1/responses/{id}", own)).ShouldBe(200);
    }

    private async Task<string> BeginAsync(string path, string key, object body)
    {
        using HttpResponseMessage response = await local.SendAsync(HttpMethod.Post, path, key, JsonContent.Create(body));
        response.IsSuccessStatusCode.ShouldBeTrue(await response.Content.ReadAsStringAsync(Cancellation));
        return (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("id").GetString()!;
    }

    private async Task<List<string?>> ListAsync(string key)
    {
        using HttpResponseMessage response = await local.SendAsync(HttpMethod.Get, "/jobs?all=true", key);
        JsonElement answer = await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        return [.. answer.GetProperty("jobs").EnumerateArray().Select(job => job.GetProperty("id").GetString())];
    }
}
