using System.Net.Http.Json;
using System.Text;
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

    [Fact]
    public async Task Data_OfATenantUnderWay_IsErasedByItsOwnKeyAndTheActIsRecorded()
    {
        string tenant = $"erased-{Guid.NewGuid():n}";
        (string keyId, string own) = await local.CreateKeyAsync(new { name = "own", tenant });
        (_, string other) = await local.CreateKeyAsync(new { name = "other", tenant = "second" });
        string strategy = await BeginAsync("/jobs", own, new { model = "demo", prompt = "x", strategy = "n", n = 2 });
        string file = await UploadAsync(own, """{"custom_id":"one","method":"POST","url":"/v1/chat/completions","body":{"model":"demo","messages":[{"role":"user","content":"x"}]}}""");
        string batch = await BeginAsync("/v1/batches", own, new { input_file_id = file, endpoint = "/v1/chat/completions", completion_window = "24h" });

        (await local.StatusAsync(HttpMethod.Get, $"/tenants/{tenant}/export", other)).ShouldBe(404);
        (await local.StatusAsync(HttpMethod.Delete, $"/tenants/{tenant}/data", other)).ShouldBe(404);
        (await local.StatusAsync(HttpMethod.Get, $"/tenants/{tenant}/export", local.Keys["readonly"])).ShouldBe(403);
        (await local.StatusAsync(HttpMethod.Get, $"/tenants/{tenant}/export", local.Admin)).ShouldBe(200);
        (await local.StatusAsync(HttpMethod.Delete, $"/tenants/{tenant}/data?usage=true", own)).ShouldBe(403);
        JsonElement erased = await JsonAsync(HttpMethod.Delete, $"/tenants/{tenant}/data", own);

        (erased.GetProperty("strategies").GetInt32(), erased.GetProperty("batches").GetInt32(), erased.GetProperty("files").GetInt32()).ShouldBe((1, 1, 1));
        foreach (string path in (string[])[$"/jobs/{strategy}", $"/v1/batches/{batch}", $"/v1/files/{file}"])
            (await local.StatusAsync(HttpMethod.Get, path, own)).ShouldBe(404, path);
        // An activity that was under way takes a job on, sees that it is for nothing, and takes it back.
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        while (await ListAsync(own) is not [] && await timer.WaitForNextTickAsync(Cancellation)) ;
        JsonElement acts = await JsonAsync(HttpMethod.Get, $"/audit?actor={keyId}&limit=100", local.Admin);
        acts.GetProperty("records").EnumerateArray().Select(act => (act.GetProperty("action").GetString(), act.GetProperty("subject").GetString(), act.GetProperty("status").GetInt32()))
            .ShouldBe([("DELETE /tenants/{tenant}/data", tenant, 403), ("DELETE /tenants/{tenant}/data", tenant, 200)]);
    }

    [Fact]
    public async Task Batch_NameTwiceInItsMetadata_TheLastOneCounts()
    {
        string file = await UploadAsync(local.Keys["user"], """{"custom_id":"one","method":"POST","url":"/v1/chat/completions","body":{"model":"demo","messages":[{"role":"user","content":"x"}]}}""");
        StringContent body = new($$$"""{"input_file_id":"{{{file}}}","endpoint":"/v1/chat/completions","completion_window":"24h","metadata":{"a":"1","b":"2","a":"3"}}""", Encoding.UTF8, "application/json");

        using HttpResponseMessage response = await local.SendAsync(HttpMethod.Post, "/v1/batches", local.Keys["user"], body);

        string answer = await response.Content.ReadAsStringAsync(Cancellation);
        ((int)response.StatusCode).ShouldBe(200, answer);
        JsonElement.Parse(answer).GetProperty("metadata").GetRawText().ShouldBe("""{"a":"3","b":"2"}""");
    }

    private async Task<string> UploadAsync(string key, string line)
    {
        MultipartFormDataContent form = new() { { new StringContent("batch"), "purpose" }, { new StringContent(line), "file", "lines.jsonl" } };
        using HttpResponseMessage response = await local.SendAsync(HttpMethod.Post, "/v1/files", key, form);
        return (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("id").GetString()!;
    }

    private async Task<JsonElement> JsonAsync(HttpMethod method, string path, string key)
    {
        using HttpResponseMessage response = await local.SendAsync(method, path, key);
        ((int)response.StatusCode).ShouldBe(200);
        return await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
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
