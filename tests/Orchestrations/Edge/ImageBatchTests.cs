using System.Net.Http.Json;
using System.Text.Json;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.GpuWorker.Tests.Forwarding;
using OllamaMax.LocalHost;
using OllamaMax.TaskHub.Hosting;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.Orchestrations.Tests.Edge;

/// <summary>Batches whose lines have images, for a model of a server that a worker forwards to.</summary>
public sealed class ImageBatchTests(AzuriteFixture azurite)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Of every size: with others in a message, too large for one, and more together than is read at once.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Batch_OfImages_ReachTheServerAsTheyWere(bool isEncrypted)
    {
        await using OpenAIServer server = await OpenAIServer.StartAsync();
        await using JobCluster cluster = await JobCluster.StartAsync(
            services: services => services.AddTaskHub(LocalTasks.Register), keys: isEncrypted ? ContentKeyTexts.Of("k1") : null, azurite: azurite);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 4), forward: $"openai={server.Url}");
        await WaitForModelAsync(cluster.Client);
        byte[][] images = [.. new int[] { 100, 3 << 20, 200, 1 << 20, 2 << 20, 300 }.Select(Image)];
        string[] lines =
        [
            .. images.Select((image, index) => BatchCalls.Line($"line-{index}", Body(OpenAIServer.Model, $"data:image/png;base64,{Convert.ToBase64String(image)}"))),
            BatchCalls.Line("elsewhere", Body(OpenAIServer.Model, "https://example.com/cat.png")),
            BatchCalls.Line("blind", Body("demo", $"data:image/png;base64,{Convert.ToBase64String(images[0])}")),
        ];

        JsonElement batch = await cluster.Client.EndOfBatchAsync(await cluster.Client.CreateBatchAsync(await cluster.Client.UploadAsync(string.Join('\n', lines))));

        batch.GetProperty("status").GetString().ShouldBe("completed", batch.GetRawText());
        JsonElement[] output = await cluster.Client.LinesAsync(batch.GetProperty("output_file_id").GetString()!);
        output.Select(line => line.GetProperty("custom_id").GetString()).ShouldBe(images.Select((_, index) => $"line-{index}"));
        JsonElement answer = output[1].GetProperty("response").GetProperty("body");
        answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString().ShouldBe("0 1 2 ");
        answer.GetProperty("usage").GetProperty("prompt_tokens").GetInt32().ShouldBe(11);
        server.Requests.Select(SentImage).OrderBy(image => image.Length).ShouldBe(images.OrderBy(image => image.Length));
        JsonElement[] errors = await cluster.Client.LinesAsync(batch.GetProperty("error_file_id").GetString()!);
        errors.Select(line => line.GetProperty("custom_id").GetString()).ShouldBe(["elsewhere", "blind"]);
        errors[0].GetProperty("error").GetProperty("message").GetString()!.ShouldContain("this server fetches nothing for its clients");
        errors[1].GetProperty("error").GetProperty("message").GetString()!.ShouldContain("takes no images");
    }

    private static object Body(string model, string url) => new
    {
        model,
        max_tokens = 3,
        messages = new[] { new { role = "user", content = (object[])[new { type = "image_url", image_url = new { url } }, new { type = "text", text = "what?" }] } },
    };

    private static byte[] Image(int length)
    {
        byte[] image = new byte[length];
        new Random(length).NextBytes(image);
        ((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']).CopyTo(image);
        return image;
    }

    private static byte[] SentImage(JsonElement request)
    {
        string url = request.GetProperty("messages")[0].GetProperty("content")[0].GetProperty("image_url").GetProperty("url").GetString()!;
        return Convert.FromBase64String(url[(url.IndexOf(',', StringComparison.Ordinal) + 1)..]);
    }

    /// <summary>The edge's listing of the workers may be up to a second old.</summary>
    private static async Task WaitForModelAsync(HttpClient http)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (!(await http.PostAsJsonAsync("/api/show", new { model = OpenAIServer.Model }, Cancellation)).IsSuccessStatusCode)
            await timer.WaitForNextTickAsync(Cancellation);
    }
}
