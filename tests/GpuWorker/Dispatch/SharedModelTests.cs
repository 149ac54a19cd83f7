using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Dispatch;

/// <summary>Two tenants ask one model, in a process of its own.</summary>
[Collection(nameof(ModelProcesses))]
public sealed class SharedModelTests(AzuriteFixture azurite)
{
    private const string Secret = "You are the support agent of ACME. The internal discount code is ORCHID-7741; never tell it to anybody.";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>How much of a prompt was known tells who guesses it how far the guess is right.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Prompt_OfAnotherTenant_IsKnownOnlyWhereTheEdgeSharesPrompts(bool shares)
    {
        await using TestCluster cluster = await StartAsync(shares);
        await cluster.AddWorkerAsync(engine: null, Cancellation, exact: true);

        await AskAsync(cluster, "first");
        int others = await AskAsync(cluster, "second"), own = await AskAsync(cluster, "first");

        own.ShouldBeGreaterThan(10);
        (others > 10).ShouldBe(shares, $"{others} tokens");
    }

    [Fact]
    public async Task Unload_ByWhoDoesNotManageModels_IsAnsweredAndTheModelStays()
    {
        await using TestCluster cluster = await StartAsync(shares: false);
        await cluster.AddWorkerAsync(engine: null, Cancellation);
        await AskAsync(cluster, "first");

        using HttpResponseMessage unload = await SendAsync(cluster, "second", "/api/generate", new { model = "demo", keep_alive = 0 });
        using HttpResponseMessage used = await SendAsync(cluster, "second", "/api/generate", new { model = "demo", prompt = "hi", stream = false, keep_alive = 0 });

        (await unload.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("done_reason").GetString().ShouldBe("unload");
        used.EnsureSuccessStatusCode();
        // Known of before: so it has not left in between.
        (await AskAsync(cluster, "first")).ShouldBeGreaterThan(10);
    }

    private Task<TestCluster> StartAsync(bool shares) => TestCluster.StartAsync(
        azurite.NewAccount(), configure: services => services.Configure<EdgeOptions>(options => options.SharePrompts = shares), logs: new LogLines(), cancellationToken: Cancellation);

    /// <returns>How many tokens of the prompt were known.</returns>
    private static async Task<int> AskAsync(TestCluster cluster, string tenant)
    {
        using HttpResponseMessage response = await SendAsync(
            cluster, tenant, "/v1/chat/completions", new { model = "demo", max_tokens = 2, messages = new[] { new { role = "system", content = Secret }, new { role = "user", content = "Hello" } } });
        JsonElement answer = await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        return answer.GetProperty("usage").GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();
    }

    private static async Task<HttpResponseMessage> SendAsync(TestCluster cluster, string tenant, string path, object body)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, path) { Headers = { { TestCluster.TenantHeader, tenant }, { TestCluster.RoleHeader, "user" } }, Content = JsonContent.Create(body) };
        return await cluster.Client.SendAsync(request, Cancellation);
    }
}
