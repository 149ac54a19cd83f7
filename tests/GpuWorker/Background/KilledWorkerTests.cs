using System.Net.Http.Json;
using System.Text.Json;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.GpuWorker.Tests.Background;

/// <summary>The real local host, real workers with a real model, and kill -9.</summary>
public sealed class KilledWorkerTests
{
    private const int Tokens = 700;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task KilledInTheMiddle_AnotherGoesOn_AndTheAnswerIsAsIfNothingHadHappened()
    {
        using TempFolder folder = new();
        string model = folder.File("endless.gguf");
        GgufGenerator.Write(model, new GgufSpec { Layers = 8, Width = 256, FeedForward = 512, Context = 4096, NeverEnds = true });
        await using LocalSystem system = await LocalSystem.StartAsync(
            new()
            {
                Workers = 2,
                Model = model,
                // Encrypted, as who goes on has more to do then; without it, others are killed elsewhere (Chaos).
                MoreArguments = ["--exact", "--encrypt-payloads"],
                Environment = new Dictionary<string, string?> { ["OllamaMax__Jobs__Lease"] = "00:00:03", ["OllamaMax__Jobs__NudgeEvery"] = "00:00:01" },
            },
            Cancellation);
        using HttpClient client = new() { BaseAddress = system.BaseAddress };
        string undisturbed = (await client.ReadAsync(await SubmitAsync(client))).Text;
        string id = await SubmitAsync(client);
        string text = "";
        JsonElement last = default;
        bool killed = false;

        await foreach (JsonElement line in client.StreamAsync(id, 0, Cancellation))
        {
            text += line.GetProperty("text").GetString();
            last = line;
            if (killed || text.Length == 0)
                continue;
            killed = true;
            LocalSystem.Kill(await PidOfAsync(client, (await client.ShowAsync(id)).GetProperty("worker_id").GetString()!));
        }

        text.ShouldBe(undisturbed);
        last.GetProperty("eval_count").GetInt32().ShouldBe(Tokens);
        last.GetProperty("attempts").GetInt32().ShouldBe(2);
        JsonElement job = await client.ShowAsync(id);
        job.GetProperty("failed_attempts").EnumerateArray().ShouldHaveSingleItem().GetProperty("outcome").GetString().ShouldBe("lost");
    }

    private static async Task<string> SubmitAsync(HttpClient client)
    {
        using HttpResponseMessage response = await client.PostAsJsonAsync(
            "/jobs", new { model = "endless", prompt = "a", raw = true, options = new { num_predict = Tokens, seed = 7 } }, Cancellation);
        string body = await response.Content.ReadAsStringAsync(Cancellation);
        response.IsSuccessStatusCode.ShouldBeTrue(body);
        return JsonDocument.Parse(body).RootElement.GetProperty("id").GetString()!;
    }

    private static async Task<int> PidOfAsync(HttpClient client, string workerId)
    {
        JsonElement worker = await client.GetFromJsonAsync<JsonElement>($"/cluster/workers/{workerId}", Cancellation);
        return worker.GetProperty("pid").GetInt32();
    }
}
