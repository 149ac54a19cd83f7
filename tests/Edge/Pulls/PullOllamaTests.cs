using System.Net;
using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Models;
using OllamaMax.Models.Gguf.Ollama;
using OllamaMax.Storage.Models;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Edge.Tests.Pulls;

/// <summary>Models that were made for Ollama's own engine become llama.cpp's on their way in, or are refused.</summary>
public sealed class PullOllamaTests(AzuriteFixture azurite)
{
    private const string Success = """{"status":"success"}""";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("latest", """{"remote_host":"https://ollama.com:443","remote_model":"big"}""", "runs at ollama.com alone")]
    [InlineData("120b-cloud", "{}", "runs at ollama.com alone")]
    [InlineData("cloud", null, "runs at ollama.com alone")]
    [InlineData("4b", "{}", "it does not have exactly one file of weights")]
    public async Task Pull_ModelWithoutWeights_SaysWhereItRuns(string tag, string? config, string reason)
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        if (config is not null)
            server.Registry.AddManifest($"library/{name}/{tag}", config);

        string[] lines = await server.LinesAsync(new { model = $"{name}:{tag}" });

        JsonElement.Parse(lines[^1]).GetProperty("error").GetString()!.ShouldContain(reason);
    }

    [Fact]
    public async Task Pull_TensorsForMlx_SaysSoAndFetchesNone()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        server.Registry.AddManifest($"library/{name}/4b-mlx", server.Registry.Layer("application/vnd.ollama.image.tensor", "a"), server.Registry.Layer("application/vnd.ollama.image.tensor", "b"));

        string[] lines = await server.LinesAsync(new { model = $"{name}:4b-mlx" });

        JsonElement.Parse(lines[^1]).GetProperty("error").GetString()!.ShouldStartWith($"{name}:4b-mlx has no GGUF, but tensors for Ollama's MLX engine");
        server.Registry.Ranges.ShouldBeEmpty();
    }

    [Fact]
    public async Task Pull_ModelOfOllamasEngine_IsLlamaCppsAndFetchedOnce()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        (byte[] ollamas, byte[] translated) = Models(name);
        string digest = server.Registry.AddModel($"library/{name}/latest", ollamas);
        server.Registry.AddModel($"library/{name}/4b", ollamas);

        string[] first = await server.LinesAsync(new { model = name });
        // The same content under another name, when what was fetched is no longer there as it came.
        await server.Storage.GetBlobClient(ModelPaths.Blob(digest)).DeleteAsync(cancellationToken: Cancel);
        string[] second = await server.LinesAsync(new { model = $"{name}:4b" });

        first[^4..].ShouldBe(["""{"status":"verifying sha256 digest"}""", """{"status":"translating for llama.cpp"}""", """{"status":"writing manifest"}""", Success]);
        second[^1].ShouldBe(Success);
        foreach (string tag in (string[])["latest", "4b"])
        {
            ModelView model = (await server.Catalog.FindAsync(ModelName.Parse($"{name}:{tag}"), Cancel)).ShouldNotBeNull();
            (model.Weights, model.WeightsSize, model.TranslatedFrom).ShouldBe((ModelDigest.Of(translated), translated.Length, digest));
            model.Capabilities.ShouldBe(["completion"]);
        }
        server.Registry.Ranges.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Pull_FileOfOllamasEngineByAddress_IsLlamaCpps()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        (byte[] ollamas, byte[] translated) = Models(name);
        server.Registry.Replace(name, ollamas);

        string[] lines = await server.LinesAsync(new { model = name, from = $"{server.Registry.ContentUrl}/content/{name}" });

        lines[^1].ShouldBe(Success);
        (await server.Catalog.FindAsync(ModelName.Parse(name), Cancel))!.Weights.ShouldBe(ModelDigest.Of(translated));
    }

    [Fact]
    public async Task Pull_WhatNothingCanBeMadeOf_EndsBeforeItsGigabytes()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        byte[] content = new byte[16 << 20];
        Header("mllama").CopyTo(content, 0);
        server.Registry.AddModel($"library/{name}/latest", content);
        server.Registry.Faults.Enqueue(async (context, all) =>
        {
            context.Response.ContentLength = all.Length;
            await context.Response.Body.WriteAsync(all.AsMemory(0, 8 << 20));
            await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });

        string[] lines = await server.LinesAsync(new { model = name });

        lines[^1].ShouldStartWith("""{"error":"the file was made for Ollama's own engine ('mllama'), and nothing that llama.cpp could load can be made of it: pull a GGUF""");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Create_OfAFileOfOllamasEngine_IsLlamaCpps(bool isStream)
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        (byte[] ollamas, byte[] translated) = Models(name);
        await UploadAsync(server, ollamas);

        using HttpResponseMessage response = await server.Edge.PostAsync(
            "/api/create", JsonSerializer.Serialize(new { model = name, files = new { model = ModelDigest.Of(ollamas) }, stream = isStream }));

        string[] lines = await response.LinesAsync();
        lines[^1].ShouldBe(Success);
        if (isStream)
            lines.ShouldContain(line => line.StartsWith("""{"status":"translating for llama.cpp","digest":"sha256:""", StringComparison.Ordinal));
        (await server.Catalog.FindAsync(ModelName.Parse(name), Cancel))!.Weights.ShouldBe(ModelDigest.Of(translated));
    }

    [Fact]
    public async Task Create_OfWhatNothingCanBeMadeOf_SaysWhatToPull()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        byte[] content = Header("glmocr");
        await UploadAsync(server, content);

        using HttpResponseMessage response = await server.Edge.PostAsync(
            "/api/create", JsonSerializer.Serialize(new { model = PullServer.UniqueName(), files = new { model = ModelDigest.Of(content) } }));

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldContain("was made for Ollama's own engine ('glmocr')");
    }

    private static (byte[] Ollamas, byte[] Translated) Models(string name)
    {
        using TempFolder folder = new();
        GgufGenerator.WriteOllamas(folder.File("ollamas.gguf"), new GgufSpec { Architecture = GgufArchitecture.Gemma3, Vocabulary = GgufVocabularyKind.SentencePiece, Name = name });
        using Stream translated = OllamaGguf.Open(File.OpenRead(folder.File("ollamas.gguf")));
        using MemoryStream bytes = new();
        translated.CopyTo(bytes);
        return (File.ReadAllBytes(folder.File("ollamas.gguf")), bytes.ToArray());
    }

    /// <summary>A GGUF that says what it is, and nothing more.</summary>
    private static byte[] Header(string architecture)
    {
        using MemoryStream bytes = new();
        using BinaryWriter writer = new(bytes);
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write(0ul);
        writer.Write(1ul);
        foreach (string text in (string[])["general.architecture", architecture])
        {
            writer.Write((ulong)text.Length);
            writer.Write(text.ToCharArray());
            if (text != architecture)
                writer.Write(8u);
        }
        return bytes.ToArray();
    }

    private static async Task UploadAsync(PullServer server, byte[] content)
    {
        using HttpResponseMessage response = await server.Edge.SendAsync(HttpMethod.Post, $"/api/blobs/{ModelDigest.Of(content)}", new ByteArrayContent(content));
        response.IsSuccessStatusCode.ShouldBeTrue();
    }
}
