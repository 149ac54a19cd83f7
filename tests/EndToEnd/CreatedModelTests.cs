using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.EndToEnd.Tests;

/// <summary>Models that an edge computes, run by a real engine.</summary>
[Collection(nameof(OneSystem))]
public sealed class CreatedModelTests(LocalSystemFixture local) : IAsyncDisposable
{
    private const string Small = "created-small";
    private const string Adapted = "created-adapted";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Generate_QuantizedModelWithAndWithoutAnAdapter_AnswersOfItsOwn()
    {
        using TempFolder folder = new();
        GgufSpec spec = new() { Width = 256, FeedForward = 256, Name = "created" };
        GgufGenerator.Write(folder.File("model.gguf"), spec);
        GgufGenerator.WriteAdapter(folder.File("adapter.gguf"), spec);
        (string model, string adapter) = (await UploadAsync(folder.File("model.gguf")), await UploadAsync(folder.File("adapter.gguf")));

        await CreateAsync(new { model = Small, files = new { model }, quantize = "q4_K_M", stream = false });
        await CreateAsync(new { model = Adapted, from = Small, adapters = new { adapter }, stream = false });

        JsonElement small = await GenerateAsync(Small), adapted = await GenerateAsync(Adapted);
        small.GetProperty("eval_count").GetInt32().ShouldBe(16);
        adapted.GetProperty("response").GetString().ShouldNotBe(small.GetProperty("response").GetString());
        using HttpResponseMessage shown = await local.Client.PostAsJsonAsync("/api/show", new { model = Adapted }, Cancellation);
        JsonElement show = await shown.JsonAsync();
        show.GetProperty("details").GetProperty("quantization_level").GetString().ShouldBe("Q4_K_M");
        show.GetProperty("modelfile").GetString()!.ShouldContain($"\nADAPTER {adapter}\n");
    }

    /// <summary>Others count the system's models.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (string model in (string[])[Small, Adapted])
        {
            using HttpRequestMessage deletion = new(HttpMethod.Delete, "/api/delete") { Content = JsonContent.Create(new { model }) };
            (await local.Client.SendAsync(deletion, Cancellation)).Dispose();
        }
    }

    private async Task<string> UploadAsync(string path)
    {
        byte[] content = await File.ReadAllBytesAsync(path, Cancellation);
        string digest = $"sha256:{Convert.ToHexStringLower(SHA256.HashData(content))}";
        using ByteArrayContent body = new(content);
        using HttpResponseMessage response = await local.Client.PostAsync($"/api/blobs/{digest}", body, Cancellation);
        response.IsSuccessStatusCode.ShouldBeTrue();
        return digest;
    }

    private async Task CreateAsync(object request)
    {
        using HttpResponseMessage response = await local.Client.PostAsJsonAsync("/api/create", request, Cancellation);
        (await response.JsonAsync()).GetProperty("status").GetString().ShouldBe("success");
    }

    /// <summary>Not kept in memory behind it: others have the system too.</summary>
    private async Task<JsonElement> GenerateAsync(string model)
    {
        object request = new { model, prompt = "Go on", raw = true, stream = false, keep_alive = 0, options = new { temperature = 0, num_predict = 16 } };
        using HttpResponseMessage response = await local.Client.PostAsJsonAsync("/api/generate", request, Cancellation);
        return await response.JsonAsync();
    }
}
