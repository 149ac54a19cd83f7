using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.Clients.Tests;

/// <summary>
/// What the <c>ollama</c> command of v0.33 sends, request by request as its Go writes them (cmd/cmd.go, cmd/interactive.go, cmd/launch), and what it reads of the answers: it is not in any package
/// registry, so that it cannot run here itself.
/// </summary>
[Collection(nameof(ChangesTheCatalogue))]
public sealed class OllamaCommandTests(LocalSystemFixture local)
{
    /// <summary>As Go writes a request for a model to be brought into memory, without <c>--keepalive</c>.</summary>
    private const string Load = """{"model":"demo","prompt":"","suffix":"","system":"","template":"","options":null}""";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_Interactive_LoadsThenTalks()
    {
        using HttpRequestMessage heartbeat = new(HttpMethod.Head, "/");
        using HttpResponseMessage alive = await local.Client.SendAsync(heartbeat, Cancellation);

        JsonElement shown = await AnswerAsync("/api/show", """{"model":"demo","system":"","template":"","verbose":false,"options":null,"name":""}""");
        JsonElement loaded = await AnswerAsync("/api/generate", Load);
        JsonElement[] lines = await LinesAsync(
            "/api/chat", """{"model":"demo","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"What are you?"}],"options":{"num_predict":4,"temperature":0.5},"think":null}""");

        alive.EnsureSuccessStatusCode();
        shown.GetProperty("model_info").ValueKind.ShouldBe(JsonValueKind.Object);
        Texts(shown.GetProperty("capabilities")).ShouldContain("completion");
        (loaded.GetProperty("done").GetBoolean(), loaded.GetProperty("done_reason").GetString()).ShouldBe((true, "load"));
        lines.Length.ShouldBeGreaterThan(1);
        lines[0].GetProperty("message").GetProperty("role").GetString().ShouldBe("assistant");
        lines[^1].GetProperty("eval_count").GetInt32().ShouldBe(4);
    }

    [Theory]
    [InlineData("\"loud\"", "invalid think value")]
    [InlineData("true", "does not support thinking")]
    public async Task Run_SetThinkThatIsNotToBeHad_TheSessionGoesOn(string think, string known)
    {
        using HttpResponseMessage response = await PostAsync("/api/chat", $$"""{"model":"demo","messages":[{"role":"user","content":"hi"}],"options":{},"think":{{think}}}""");

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await ErrorAsync(response)).ShouldContain(known);
    }

    [Fact]
    public async Task Run_SaveUnderABadName_TheSessionGoesOn()
    {
        using HttpResponseMessage response = await PostAsync("/api/create", """{"model":"no name","from":"demo:latest","name":""}""");

        (await ErrorAsync(response)).ShouldContain("invalid model name");
    }

    [Fact]
    public async Task SaveShowCopyStopRemove_ASessionsModel()
    {
        JsonElement[] saved = await LinesAsync(
            "/api/create",
            """{"model":"saved","from":"demo:latest","system":"Be brief.","parameters":{"stop":["!"],"temperature":0.5},"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"Hello"}],"name":""}""");
        using HttpResponseMessage copied = await PostAsync("/api/copy", """{"source":"saved","destination":"copied"}""");
        JsonElement shown = await AnswerAsync("/api/show", """{"model":"","system":"","template":"","verbose":true,"options":null,"name":"copied"}""");
        JsonElement tags = await GetAsync("/api/tags");
        JsonElement stopped = await AnswerAsync("/api/generate", """{"model":"copied","prompt":"","suffix":"","system":"","template":"","keep_alive":"0s","options":null}""");
        foreach (string name in (string[])["saved", "copied"])
        {
            using HttpRequestMessage removal = new(HttpMethod.Delete, "/api/delete") { Content = Body($$"""{"model":"","name":"{{name}}"}""") };
            using HttpResponseMessage removed = await local.Client.SendAsync(removal, Cancellation);
            removed.EnsureSuccessStatusCode();
        }
        using HttpResponseMessage gone = await PostAsync("/api/show", """{"model":"copied","system":"","template":"","verbose":false,"options":null,"name":""}""");

        saved[^1].GetProperty("status").GetString().ShouldBe("success");
        copied.EnsureSuccessStatusCode();
        shown.GetProperty("system").GetString().ShouldBe("Be brief.");
        shown.GetProperty("parameters").GetString()!.Split('\n').Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
            .ShouldBe(["temperature 0.5", "stop \"!\""]);
        shown.GetProperty("messages").GetArrayLength().ShouldBe(2);
        shown.GetProperty("details").GetProperty("parent_model").GetString().ShouldBe("demo:latest");
        JsonElement listed = tags.GetProperty("models").EnumerateArray().Single(model => model.GetProperty("name").GetString() == "copied:latest");
        listed.GetProperty("digest").GetString()!.Length.ShouldBeGreaterThan(12);
        listed.GetProperty("size").GetInt64().ShouldBePositive();
        stopped.GetProperty("done_reason").GetString().ShouldBe("unload");
        gone.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await ErrorAsync(gone)).ShouldContain("not found");
    }

    [Fact]
    public async Task Create_FileBesideAModelfile_SendsItFirst()
    {
        byte[] weights = await File.ReadAllBytesAsync(TestCluster.DemoModel, Cancellation);
        string digest = $"sha256:{Convert.ToHexStringLower(SHA256.HashData(weights))}";

        using HttpResponseMessage uploaded = await local.Client.PostAsync($"/api/blobs/{digest}", new ByteArrayContent(weights), Cancellation);
        JsonElement[] lines = await LinesAsync("/api/create", $$"""{"model":"made","files":{"ollamamax-demo.gguf":"{{digest}}"},"license":["free"],"name":""}""");
        using HttpRequestMessage removal = new(HttpMethod.Delete, "/api/delete") { Content = Body("""{"model":"","name":"made"}""") };
        using HttpResponseMessage removed = await local.Client.SendAsync(removal, Cancellation);

        uploaded.EnsureSuccessStatusCode();
        lines[^1].GetProperty("status").GetString().ShouldBe("success");
        removed.EnsureSuccessStatusCode();
    }

    [Fact]
    public async Task Ps_LoadedModel_HasWhatTheTableShows()
    {
        await AnswerAsync("/api/generate", Load);

        // What is loaded a worker tells with its next report.
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        JsonElement[] listed = [];
        while (listed.Length == 0 && await timer.WaitForNextTickAsync(Cancellation))
            listed = [.. (await GetAsync("/api/ps")).GetProperty("models").EnumerateArray().Where(model => model.GetProperty("name").GetString() == "demo:latest")];
        JsonElement running = listed.ShouldHaveSingleItem();

        running.GetProperty("digest").GetString()!.Length.ShouldBeGreaterThan(12);
        running.GetProperty("size").GetInt64().ShouldBePositive();
        running.GetProperty("size_vram").GetInt64().ShouldBe(0);
        running.GetProperty("context_length").GetInt32().ShouldBe(1024);
        running.GetProperty("expires_at").GetDateTimeOffset().ShouldBeGreaterThan(default);
    }

    [Fact]
    public async Task Launch_Codex_LearnsTheContextAndThatNothingRunsInTheCloud()
    {
        JsonElement tags = await GetAsync("/api/tags");
        JsonElement status = await GetAsync("/api/status");
        JsonElement recommended = await GetAsync("/api/experimental/model-recommendations");

        JsonElement demo = tags.GetProperty("models").EnumerateArray().Single(model => model.GetProperty("name").GetString() == "demo:latest");
        demo.GetProperty("details").GetProperty("context_length").GetInt32().ShouldBe(1024);
        demo.GetProperty("details").GetProperty("embedding_length").GetInt32().ShouldBePositive();
        Texts(demo.GetProperty("capabilities")).ShouldContain("tools");
        status.GetProperty("cloud").GetProperty("disabled").GetBoolean().ShouldBeTrue();
        recommended.GetProperty("recommendations").GetArrayLength().ShouldBe(0);
    }

    private async Task<JsonElement> GetAsync(string path) => await local.Client.GetFromJsonAsync<JsonElement>(path, Cancellation);

    private Task<HttpResponseMessage> PostAsync(string path, string json) => local.Client.PostAsync(path, Body(json), Cancellation);

    private async Task<JsonElement> AnswerAsync(string path, string json) => (await LinesAsync(path, json)).ShouldHaveSingleItem();

    private async Task<JsonElement[]> LinesAsync(string path, string json)
    {
        using HttpResponseMessage response = await PostAsync(path, json);
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];
    }

    private static async Task<string> ErrorAsync(HttpResponseMessage response) =>
        (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString()!;

    private static StringContent Body(string json) => new(json, Encoding.UTF8, "application/json");

    private static IEnumerable<string?> Texts(JsonElement array) => array.EnumerateArray().Select(item => item.GetString());
}
