using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Dispatch;

/// <summary>Interactive jobs that need storage while there is none, beside those that need none. Beside the other classes: it waits most of its time.</summary>
public sealed class StorageAwayTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Generate_LargerThanAMessage_IsRefusedAloneAndSmallOnesArePushedOn()
    {
        AzuriteFixture azurite = (await TestContext.Current.GetFixture<AzuriteFixture>())!;
        var (blobs, queues) = (azurite.Process.Endpoints.BlobPort, azurite.Process.Endpoints.QueuePort);
        await using TcpRelay toBlobs = new(blobs), toQueues = new(queues);
        await using TestCluster cluster = await TestCluster.StartAsync(
            azurite.NewAccount()
                .Replace($":{blobs}/", $":{toBlobs.Port}/", StringComparison.Ordinal)
                .Replace($":{queues}/", $":{toQueues.Port}/", StringComparison.Ordinal),
            cancellationToken: Cancellation);
        for (int i = 0; i < 2; i++)
            await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1), Cancellation);
        await GenerateAsync(cluster, "hi");

        toBlobs.CutOff(_ => true);
        toQueues.CutOff(_ => true);
        var (large, error) = await GenerateAsync(cluster, new string('x', 400_000));
        var (small, answer) = await GenerateAsync(cluster, "hi");

        large.ShouldBe(HttpStatusCode.ServiceUnavailable, error.GetRawText());
        error.GetProperty("error").GetString()!.ShouldContain("storage, which this request needs, cannot be reached");
        small.ShouldBe(HttpStatusCode.OK, answer.GetRawText());
        answer.GetProperty("response").GetString().ShouldBe(ScriptedEngine.Answer(20));
    }

    private static async Task<(HttpStatusCode Status, JsonElement Answer)> GenerateAsync(TestCluster cluster, string prompt)
    {
        using HttpResponseMessage response = await cluster.Client.PostAsJsonAsync("/api/generate", new { model = "demo", prompt, raw = true, stream = false }, Cancellation);
        return (response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync(Cancellation)));
    }
}
