using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Forwarding;

/// <summary>Images on their way from a client to the server that a worker forwards to: edge, storage, SignalR surface and worker between them.</summary>
public sealed class ForwardedImagesTests : IAsyncLifetime
{
    private static readonly byte[] s_small = Image(100);

    /// <summary>More than SignalR takes in a message.</summary>
    private static readonly byte[] s_large = Image(3 << 20);

    private OpenAIServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await OpenAIServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Images_InEveryApi_ReachTheServerAsTheyWere(bool isEncrypted)
    {
        await using JobCluster cluster = await StartAsync("vllm", isEncrypted);

        foreach (bool isStream in (bool[])[false, true])
        {
            foreach (var (path, body) in Requests(s_small, isStream).Concat(Requests(s_large, isStream)))
            {
                using HttpResponseMessage response = await cluster.Client.PostAsJsonAsync(path, body, Cancellation);
                string text = await response.Content.ReadAsStringAsync(Cancellation);

                response.StatusCode.ShouldBe(HttpStatusCode.OK, text);
                text.ShouldContain("0 ");
                // What the image comes to its server has counted.
                text.ShouldContain(path switch
                {
                    "/v1/chat/completions" => "\"prompt_tokens\":11",
                    "/v1/responses" => "\"input_tokens\":11",
                    "/v1/messages" => "\"input_tokens\":8", // Without the three that the server knew.
                    _ => "\"prompt_eval_count\":11",
                });
            }
        }

        byte[][] sent = [.. _server.Requests.Select(SentImage)];
        sent.Length.ShouldBe(20);
        sent.Chunk(10).ShouldAllBe(images => images.Take(5).All(image => image.SequenceEqual(s_small)) && images.Skip(5).All(image => image.SequenceEqual(s_large)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Submit_Image_ReachesTheServerAndGoesWithThePrompt(bool isEncrypted)
    {
        await using JobCluster cluster = await StartAsync("openai", isEncrypted);

        string job = await SubmitAsync(cluster.Client, "/jobs", Requests(s_large, isStream: false)[0].Body);
        string response = await SubmitAsync(
            cluster.Client, "/v1/responses", new { model = OpenAIServer.Model, background = true, max_output_tokens = 3, input = Input(s_small) });
        await cluster.Client.ShowWhenAsync(job, "completed");
        await cluster.Client.ShowWhenAsync(response["resp_".Length..], "completed");

        _server.Requests.Select(SentImage).OrderBy(image => image.Length).ShouldBe([s_small, s_large]);
    }

    [Fact]
    public async Task Respond_GoesOnFromAResponseWithAnImage_TheServerSeesItAgain()
    {
        await using JobCluster cluster = await StartAsync("openai");
        JsonElement first = await PostAsync(cluster.Client, "/v1/responses", new { model = OpenAIServer.Model, max_output_tokens = 3, input = Input(s_small) });

        await PostAsync(
            cluster.Client, "/v1/responses", new { model = OpenAIServer.Model, max_output_tokens = 3, input = "sure?", previous_response_id = first.GetProperty("id").GetString() });

        _server.Requests.Select(SentImage).ShouldBe([s_small, s_small]);
    }

    /// <summary>vLLM says nothing of what its models see: it refuses, and that is the client's to know.</summary>
    [Fact]
    public async Task Images_ServerRefuses_TheClientIsToldInItsApisShape()
    {
        _server.Refuses = (400, """{"error":{"message":"count-7b is not a multimodal model","type":"BadRequestError","code":400}}""");
        await using JobCluster cluster = await StartAsync("vllm");

        foreach (var (path, body) in Requests(s_small, isStream: true))
        {
            using HttpResponseMessage response = await cluster.Client.PostAsJsonAsync(path, body, Cancellation);

            response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
            JsonElement error = (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error");
            (error.ValueKind == JsonValueKind.String ? error : error.GetProperty("message")).GetString().ShouldBe("count-7b is not a multimodal model");
        }
    }

    [Fact]
    public async Task Images_OfAServerThatSaysItIsBlind_AreRefusedAndItIsNotAsked()
    {
        _server.Props = """{"modalities":{"vision":false}}""";
        await using JobCluster cluster = await StartAsync("llama-server");

        foreach (var (path, body) in Requests(s_small, isStream: false))
        {
            using HttpResponseMessage response = await cluster.Client.PostAsJsonAsync(path, body, Cancellation);

            response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
            (await response.Content.ReadAsStringAsync(Cancellation)).ShouldContain("takes no images");
        }
        _server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Show_ServerThatSees_SaysVisionAndImagesGoThere()
    {
        await using OllamaServer ollama = await OllamaServer.StartAsync();
        ollama.Capabilities = ["completion", "vision"];
        await using JobCluster cluster = await JobCluster.StartAsync();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1), forward: $"ollama={ollama.Url}");
        await WaitForAsync(cluster.Client, OllamaServer.Model);

        JsonElement show = await PostAsync(cluster.Client, "/api/show", new { model = OllamaServer.Model });
        JsonElement tags = await cluster.Client.GetFromJsonAsync<JsonElement>("/api/tags", Cancellation);
        JsonElement answer = await PostAsync(
            cluster.Client, "/api/chat", new { model = OllamaServer.Model, stream = false, messages = new[] { new { role = "user", content = "what?", images = new[] { s_large } } } });

        show.GetProperty("capabilities").EnumerateArray().Select(item => item.GetString()).ShouldContain("vision");
        tags.GetProperty("models").EnumerateArray().Single(model => model.GetProperty("name").GetString() == OllamaServer.Model)
            .GetProperty("capabilities").EnumerateArray().Select(item => item.GetString()).ShouldContain("vision");
        (answer.GetProperty("message").GetProperty("content").GetString(), answer.GetProperty("prompt_eval_count").GetInt32()).ShouldBe(("cat", 270));
        ollama.Requests.ShouldHaveSingleItem().GetProperty("messages")[0].GetProperty("images")[0].GetBytesFromBase64().ShouldBe(s_large);
    }

    private static byte[] Image(int length)
    {
        byte[] image = new byte[length];
        new Random(length).NextBytes(image);
        ((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']).CopyTo(image);
        return image;
    }

    private static (string Path, object Body)[] Requests(byte[] image, bool isStream)
    {
        const string model = OpenAIServer.Model;
        string url = Url(image);
        return
        [
            ("/api/chat", new { model, stream = isStream, messages = new[] { new { role = "user", content = "what?", images = new[] { image } } }, options = new { num_predict = 3 } }),
            ("/api/generate", new { model, stream = isStream, prompt = "what?", images = new[] { image }, options = new { num_predict = 3 } }),
            ("/v1/chat/completions", new
            {
                model, stream = isStream, max_tokens = 3, stream_options = isStream ? new { include_usage = true } : null,
                messages = new[] { new { role = "user", content = (object[])[new { type = "image_url", image_url = new { url } }, new { type = "text", text = "what?" }] } },
            }),
            ("/v1/responses", new { model, stream = isStream, max_output_tokens = 3, input = Input(image) }),
            ("/v1/messages", new
            {
                model, stream = isStream, max_tokens = 3,
                messages = new[] { new { role = "user", content = (object[])[new { type = "image", source = new { type = "base64", media_type = "image/png", data = image } }, new { type = "text", text = "what?" }] } },
            }),
        ];
    }

    private static object[] Input(byte[] image) => [new { role = "user", content = (object[])[new { type = "input_image", image_url = Url(image) }, new { type = "input_text", text = "what?" }] }];

    private static string Url(byte[] image) => $"data:image/png;base64,{Convert.ToBase64String(image)}";

    /// <summary>The one image that the server was sent, before the text.</summary>
    private static byte[] SentImage(JsonElement request)
    {
        JsonElement[] parts = [.. request.GetProperty("messages")[0].GetProperty("content").EnumerateArray()];
        parts[1].GetProperty("text").GetString().ShouldBe("what?");
        string url = parts[0].GetProperty("image_url").GetProperty("url").GetString()!;
        url.ShouldStartWith("data:image/png;base64,");
        return Convert.FromBase64String(url[(url.IndexOf(',', StringComparison.Ordinal) + 1)..]);
    }

    private static async Task<JsonElement> PostAsync(HttpClient client, string path, object body)
    {
        using HttpResponseMessage response = await client.PostAsJsonAsync(path, body, Cancellation);
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        response.IsSuccessStatusCode.ShouldBeTrue(text);
        return JsonElement.Parse(text);
    }

    private static async Task<string> SubmitAsync(HttpClient client, string path, object body) => (await PostAsync(client, path, body)).GetProperty("id").GetString()!;

    /// <summary>Waits until the edge has heard of the model: its listing of the workers may be up to a second old.</summary>
    private static async Task WaitForAsync(HttpClient client, string model)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!(await client.PostAsJsonAsync("/api/show", new { model }, Cancellation)).IsSuccessStatusCode)
            await timer.WaitForNextTickAsync(Cancellation);
    }

    private async Task<JobCluster> StartAsync(string kind, bool isEncrypted = false)
    {
        JobCluster cluster = await JobCluster.StartAsync(keys: isEncrypted ? ContentKeyTexts.Of("k1") : null);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 4), forward: $"{kind}={_server.Url}");
        await WaitForAsync(cluster.Client, OpenAIServer.Model);
        return cluster;
    }
}
