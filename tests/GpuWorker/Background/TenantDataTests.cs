using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Tenants;
using OllamaMax.GpuWorker.Tests.Dispatch;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Background;

/// <summary>What is kept of a tenant: taken away, deleted, or not kept at all.</summary>
public sealed class TenantDataTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Data_ExportedAndErased_IsThatTenantsAndAllOfIt()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 2));
        string mine = await BeginAsync(cluster, "acme", "/jobs", new { model = "demo", prompt = "a secret of acme's" });
        string others = await BeginAsync(cluster, "other", "/jobs", new { model = "demo", prompt = "a secret of another's" });
        string response = await BeginAsync(cluster, "acme", "/v1/responses", new { model = "demo", input = "kept input" });
        byte[] content = Encoding.UTF8.GetBytes(new string('f', 100_000));
        await UploadAsync(cluster, "acme", content);
        foreach (var (tenant, id) in ((string, string)[])[("acme", mine), ("other", others)])
            await WaitUntilCompletedAsync(cluster, tenant, id);

        JsonElement[] lines = await ExportAsync(cluster, "acme");
        JsonElement erased = await JsonAsync(cluster, HttpMethod.Delete, "acme", "/tenants/acme/data");

        JsonElement job = Of("job").Single();
        job.GetProperty("job").GetProperty("id").GetString().ShouldBe(mine);
        job.GetProperty("job").GetProperty("result").GetProperty("response").GetString().ShouldBe(ScriptedEngine.Answer(20));
        job.GetProperty("request").GetProperty("prompt").GetString().ShouldNotBeNull().ShouldContain("a secret of acme's");
        JsonElement kept = Of("response").Single().GetProperty("response");
        kept.GetProperty("input").GetRawText().ShouldContain("kept input");
        kept.GetProperty("answer").GetProperty("id").GetString().ShouldBe(response);
        Convert.FromBase64String(string.Concat(Of("file_content").Select(line => line.GetProperty("content").GetString()))).ShouldBe(content);
        lines[^1].GetProperty("kind").GetString().ShouldBe("end");
        lines[^1].GetProperty("lines").GetInt32().ShouldBe(lines.Length - 1);
        lines.ShouldAllBe(line => !line.GetRawText().Contains("another's", StringComparison.Ordinal));

        (Count("jobs"), Count("responses"), Count("files")).ShouldBe((1, 1, 1));
        (await ExportAsync(cluster, "acme")).Length.ShouldBe(1);
        (await StatusAsync(cluster, HttpMethod.Get, "acme", $"/jobs/{mine}")).ShouldBe(HttpStatusCode.NotFound);
        (await StatusAsync(cluster, HttpMethod.Get, "acme", $"/v1/responses/{response}")).ShouldBe(HttpStatusCode.NotFound);
        (await StatusAsync(cluster, HttpMethod.Get, "other", $"/jobs/{others}")).ShouldBe(HttpStatusCode.OK);

        int Count(string name) => erased.GetProperty(name).GetInt32();

        JsonElement[] Of(string kind) => [.. lines.Where(line => line.GetProperty("kind").GetString() == kind)];
    }

    [Fact]
    public async Task Job_UnderWayWhenErased_FreesItsSlot()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        EndlessToken token = new();
        await cluster.AddWorkerAsync(token.Engine);
        string id = await BeginAsync(cluster, "acme", "/jobs", new { model = "demo", prompt = "x" });
        await token.Begun;

        (await JsonAsync(cluster, HttpMethod.Delete, "acme", "/tenants/acme/data")).GetProperty("jobs").GetInt32().ShouldBe(1);

        await token.Stopped;
        (await cluster.Store.FindAsync(id, Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task Retention_ZeroForOneTenant_StoresNothingOfIt()
    {
        await using JobCluster cluster = await JobCluster.StartAsync(
            services: edge => edge.Configure<TenantOptions>(options => options.Limits["quiet"] = new() { Retention = TimeSpan.Zero }));
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 2) { BeforeToken = (index, stop) => index < 10 ? Task.CompletedTask : gate.Task.WaitAsync(stop) });
        string quiet = await BeginAsync(cluster, "quiet", "/jobs", new { model = "demo", prompt = "x" });
        string usual = await BeginAsync(cluster, "usual", "/jobs", new { model = "demo", prompt = "x" });
        string streamed = await StreamAsync(cluster, "quiet", quiet, () => gate.TrySetResult());
        foreach (var (tenant, id) in ((string, string)[])[("quiet", quiet), ("usual", usual)])
            await WaitUntilCompletedAsync(cluster, tenant, id);
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while ((await cluster.RecordAsync(quiet)).HasContent)
            await timer.WaitForNextTickAsync(Cancellation);
        string response = await BeginAsync(cluster, "quiet", "/v1/responses", new { model = "demo", input = "x" });

        streamed.ShouldBe(ScriptedEngine.Answer(20), "who reads along has it all the same");
        (await cluster.RecordAsync(usual)).HasContent.ShouldBeTrue();
        (await StatusAsync(cluster, HttpMethod.Get, "quiet", $"/v1/responses/{response}")).ShouldBe(HttpStatusCode.NotFound);
        using HttpResponseMessage upload = await SendAsync(cluster, HttpMethod.Post, "quiet", "/v1/files", Form([1]));
        upload.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await ExportAsync(cluster, "quiet")).Where(line => line.TryGetProperty("request", out _) || line.TryGetProperty("response", out _)).ShouldBeEmpty();
    }

    /// <summary>The job's text; calls back after its first line.</summary>
    private static async Task<string> StreamAsync(JobCluster cluster, string tenant, string id, Action begun)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, $"/jobs/{id}/stream") { Headers = { { TestCluster.TenantHeader, tenant } } };
        using HttpResponseMessage response = await cluster.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        using StreamReader reader = new(await response.Content.ReadAsStreamAsync(Cancellation));
        string text = "";
        while (await reader.ReadLineAsync(Cancellation) is { } line)
        {
            if (text.Length == 0)
                begun();
            text += JsonElement.Parse(line).GetProperty("text").GetString();
        }
        return text;
    }

    private static async Task<JsonElement[]> ExportAsync(JobCluster cluster, string tenant)
    {
        using HttpResponseMessage response = await SendAsync(cluster, HttpMethod.Get, tenant, $"/tenants/{tenant}/export");
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];
    }

    private static async Task UploadAsync(JobCluster cluster, string tenant, byte[] content)
    {
        using HttpResponseMessage response = await SendAsync(cluster, HttpMethod.Post, tenant, "/v1/files", Form(content));
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static MultipartFormDataContent Form(byte[] content) => new() { { new StringContent("batch"), "purpose" }, { new ByteArrayContent(content), "file", "lines.jsonl" } };

    private static async Task<string> BeginAsync(JobCluster cluster, string tenant, string path, object body)
    {
        using HttpResponseMessage response = await SendAsync(cluster, HttpMethod.Post, tenant, path, JsonContent.Create(body));
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        response.IsSuccessStatusCode.ShouldBeTrue(text);
        return JsonElement.Parse(text).GetProperty("id").GetString()!;
    }

    private static async Task WaitUntilCompletedAsync(JobCluster cluster, string tenant, string id)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while ((await JsonAsync(cluster, HttpMethod.Get, tenant, $"/jobs/{id}")).GetProperty("status").GetString() != "completed")
            await timer.WaitForNextTickAsync(Cancellation);
    }

    private static async Task<JsonElement> JsonAsync(JobCluster cluster, HttpMethod method, string tenant, string path)
    {
        using HttpResponseMessage response = await SendAsync(cluster, method, tenant, path);
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        return JsonElement.Parse(text);
    }

    private static async Task<HttpStatusCode> StatusAsync(JobCluster cluster, HttpMethod method, string tenant, string path)
    {
        using HttpResponseMessage response = await SendAsync(cluster, method, tenant, path);
        return response.StatusCode;
    }

    private static Task<HttpResponseMessage> SendAsync(JobCluster cluster, HttpMethod method, string tenant, string path, HttpContent? content = null)
    {
        HttpRequestMessage request = new(method, path) { Content = content };
        request.Headers.Add(TestCluster.TenantHeader, tenant);
        return cluster.Client.SendAsync(request, Cancellation);
    }
}
