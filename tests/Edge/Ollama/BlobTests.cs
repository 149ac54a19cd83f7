using System.Net;
using System.Text.Json;
using Azure.Storage.Blobs;
using OllamaMax.Edge.Ollama;
using OllamaMax.Edge.Tests.Pulls;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Models;
using OllamaMax.Models.Gguf;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Edge.Tests.Ollama;

/// <summary><c>/api/blobs</c>, and what <c>/api/create</c> makes of them, over storage.</summary>
public sealed class BlobTests(AzuriteFixture azurite)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Blob_RightContent_IsThereAndAModelIsMadeOfIt()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        byte[] content = PullServer.UniqueModel();
        string digest = ModelDigest.Of(content);
        string name = PullServer.UniqueName();

        HttpStatusCode before = await StatusAsync(server, HttpMethod.Head, digest);
        HttpStatusCode first = await StatusAsync(server, HttpMethod.Post, digest, new ByteArrayContent(content));
        HttpStatusCode again = await StatusAsync(server, HttpMethod.Post, digest, new ByteArrayContent(content));
        HttpStatusCode after = await StatusAsync(server, HttpMethod.Head, digest);
        string[] lines = await LinesAsync(server, new { model = name, files = new Dictionary<string, string> { ["a.gguf"] = digest }, system = "Be brief.", license = "MIT" });

        before.ShouldBe(HttpStatusCode.NotFound);
        first.ShouldBe(HttpStatusCode.Created);
        again.ShouldBe(HttpStatusCode.OK);
        after.ShouldBe(HttpStatusCode.OK);
        lines[^1].ShouldBe("""{"status":"success"}""");
        ModelView made = (await server.Catalog.FindAsync(ModelName.Parse(name), Cancel)).ShouldNotBeNull();
        made.Weights.ShouldBe(digest);
        made.Modelfile.System.ShouldBe("Be brief.");
        made.Modelfile.License.ShouldBe(["MIT"]);
    }

    [Fact]
    public async Task Blob_OtherContent_IsRefusedAndNotThere()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        byte[] content = PullServer.UniqueModel();
        string digest = ModelDigest.Of(PullServer.UniqueModel());

        using HttpResponseMessage response = await server.Edge.SendAsync(HttpMethod.Post, $"/api/blobs/{digest}", new ByteArrayContent(content));

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldBe($"digest mismatch, expected \"{digest}\", got \"{ModelDigest.Of(content)}\"");
        (await StatusAsync(server, HttpMethod.Head, digest)).ShouldBe(HttpStatusCode.NotFound);
        using HttpResponseMessage none = await server.Edge.SendAsync(HttpMethod.Post, "/api/blobs/sha256:12", new ByteArrayContent(content));
        (await none.ErrorAsync(HttpStatusCode.BadRequest)).ShouldContain("digest");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Blob_TooLarge_SaysWhereElseToSendIt(bool isChunked)
    {
        await using PullServer server = await PullServer.StartAsync(azurite, options => options.MaxBlobBytes = 1 << 20);
        byte[] content = new byte[2 << 20];
        using HttpRequestMessage request = new(HttpMethod.Post, $"/api/blobs/{ModelDigest.Of(content)}") { Content = new ByteArrayContent(content) };
        request.Headers.TransferEncodingChunked = isChunked;

        using HttpResponseMessage response = await server.Edge.Client.SendAsync(request, Cancel);

        (await response.ErrorAsync(HttpStatusCode.RequestEntityTooLarge)).ShouldBe(
            "this edge takes blobs of at most 1048576 bytes; larger ones go to storage directly: POST /models/uploads says where");
    }

    [Theory]
    [InlineData("\"from\":\"demo\",\"quantize\":\"q3_K_M\"", "unsupported quantization type Q3_K_M - supported types are F16, Q4_0, Q4_K_S, Q4_K_M, Q5_K_S, Q5_K_M, Q6_K, Q8_0")]
    [InlineData("\"from\":\"demo\",\"adapters\":{\"a\":\"sha256:12\"}", "adapters.a")]
    [InlineData("\"from\":\"demo\",\"adapters\":{\"adapter_model.safetensors\":\"sha256:12\"}", "must be a GGUF")]
    [InlineData("\"files\":{\"a\":\"x\",\"b\":\"y\"}", "files")]
    [InlineData("\"files\":{\"a\":\"x\"}", "files.a")]
    [InlineData("\"files\":{\"m-00001-of-00003.gguf\":\"x\",\"m-00002-of-00003.gguf\":\"y\"}", "all parts of a split one")]
    [InlineData("\"files\":{\"m-00001-of-00002.gguf\":\"x\",\"m-00002-of-00002.gguf\":\"y\"}", "files.m-00001-of-00002.gguf")]
    [InlineData("\"from\":\"demo\",\"template\":\"{{ .Prompt }}\"", "template")]
    [InlineData("\"from\":\"demo\",\"remote_host\":\"https://ollama.com\"", "remote_host is not supported")]
    [InlineData("\"from\":\"demo\",\"draft_files\":{\"draft.gguf\":\"sha256:12\"}", "draft_files is not supported")]
    [InlineData("\"system\":\"x\"", "'from'")]
    [InlineData("\"files\":{\"a\":\"sha256:0000000000000000000000000000000000000000000000000000000000000000\"}", "blob sha256:0000")]
    public async Task Create_WhatIsNotDone_IsNamed(string fields, string named)
    {
        await using PullServer server = await PullServer.StartAsync(azurite);

        using HttpResponseMessage response = await server.Edge.PostAsync("/api/create", $"{{\"model\":\"{PullServer.UniqueName()}\",{fields}}}");

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldContain(named);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Create_StorageIsAway_Is503(bool isStream)
    {
        MeddlingRelay relay = new(azurite.Process.Endpoints.BlobPort);
        await using PullServer server = await PullServer.StartAsync(
            azurite, storage: new BlobServiceClient(relay.Through(azurite.ConnectionString), new() { Retry = { MaxRetries = 0 } }));
        await relay.DisposeAsync();

        using HttpResponseMessage response = await server.Edge.PostAsync("/api/create", JsonSerializer.Serialize(new { model = PullServer.UniqueName(), from = "demo", stream = isStream }));

        await response.ErrorAsync(HttpStatusCode.ServiceUnavailable);
    }

    [Theory]
    [InlineData(true, "q4_K_M", "Q4_K_M")]
    [InlineData(false, "q8_0", "Q8_0")]
    public async Task Create_Quantized_IsAModelOfItsOwn(bool isStream, string wanted, string made)
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        (string source, string quantized, string again) = (PullServer.UniqueName(), PullServer.UniqueName(), PullServer.UniqueName());
        using TempFolder folder = new();
        GgufGenerator.Write(folder.File("model.gguf"), new GgufSpec { Name = source });
        byte[] content = await File.ReadAllBytesAsync(folder.File("model.gguf"), Cancel);
        (await StatusAsync(server, HttpMethod.Post, ModelDigest.Of(content), new ByteArrayContent(content))).ShouldBe(HttpStatusCode.Created);
        await LinesAsync(server, new { model = source, files = new { model = ModelDigest.Of(content) }, system = "Be brief." });

        string[] lines = await LinesAsync(server, new { model = quantized, from = source, quantize = wanted, stream = isStream });
        using HttpResponseMessage refused = await server.Edge.PostAsync("/api/create", JsonSerializer.Serialize(new { model = again, from = quantized, quantize = made }));

        lines[^1].ShouldBe("""{"status":"success"}""");
        if (isStream)
            lines.ShouldContain(line => line.StartsWith($$"""{"status":"quantizing F32 model to {{made}}","digest":"sha256:""", StringComparison.Ordinal));
        ModelView model = (await server.Catalog.FindAsync(ModelName.Parse(quantized), Cancel))!;
        (model.Details.QuantizationLevel, model.Modelfile.System).ShouldBe((made, "Be brief."));
        model.WeightsSize.ShouldBeLessThan(content.Length / 3);
        (await refused.ErrorAsync(HttpStatusCode.BadRequest)).ShouldStartWith("quantization is only supported for F16, BF16 and F32 models, and this one is Q");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Create_WithAnAdapter_IsAModelOfItsOwn(bool isStream)
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        (string source, string adapted, string smaller) = (PullServer.UniqueName(), PullServer.UniqueName(), PullServer.UniqueName());
        using TempFolder folder = new();
        GgufSpec spec = new() { Name = source };
        GgufGenerator.Write(folder.File("model.gguf"), spec);
        GgufGenerator.WriteAdapter(folder.File("adapter.gguf"), spec);
        GgufGenerator.WriteAdapter(folder.File("other.gguf"), spec with { Width = 128 });
        (byte[] model, byte[] adapter, byte[] other) = (await UploadAsync(server, folder.File("model.gguf")), await UploadAsync(server, folder.File("adapter.gguf")), await UploadAsync(server, folder.File("other.gguf")));
        string digest = ModelDigest.Of(adapter);
        Dictionary<string, string> files = new() { ["model.gguf"] = ModelDigest.Of(model) };
        await LinesAsync(server, new { model = source, files });

        string[] lines = await LinesAsync(server, new { model = adapted, files, adapters = new { adapter = digest }, system = "Be brief.", stream = isStream });
        await LinesAsync(server, new { model = smaller, from = adapted, quantize = "q8_0", stream = isStream });
        using HttpResponseMessage refused = await server.Edge.PostAsync("/api/create", JsonSerializer.Serialize(new { model = adapted, from = source, adapters = new { other = ModelDigest.Of(other) } }));

        lines[^1].ShouldBe("""{"status":"success"}""");
        if (isStream)
            lines.ShouldContain(line => line.StartsWith("""{"status":"adding adapter","digest":"sha256:""", StringComparison.Ordinal));
        ModelView view = (await server.Catalog.FindAsync(ModelName.Parse(adapted), Cancel))!;
        (view.Weights, view.Modelfile.System).ShouldBe((ModelDigest.Of([.. model, .. adapter]), "Be brief."));
        ModelfileText.Of(view).ShouldContain($"\nADAPTER {digest}\n");
        using MemoryStream quantized = new();
        await using (Stream made = GgufQuantizer.Open(new MemoryStream(model), GgufQuantization.Q8))
            await made.CopyToAsync(quantized, Cancel);
        view = (await server.Catalog.FindAsync(ModelName.Parse(smaller), Cancel))!;
        (view.Weights, view.Details.QuantizationLevel, view.Adapters.Single()).ShouldBe((ModelDigest.Of([.. quantized.ToArray(), .. adapter]), "Q8_0", digest));
        (await refused.ErrorAsync(HttpStatusCode.BadRequest)).ShouldBe("the adapter's tensors for 'blk.0.attn_q.weight' have other dimensions than the model's: it is another model's");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Create_PartsOfASplitModel_IsWhatTheyAreTogether(bool isStream)
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        using TempFolder folder = new();
        GgufSpec spec = new() { Name = name };
        GgufGenerator.Write(folder.File("whole.gguf"), spec);
        Dictionary<string, string> files = [];
        foreach (string part in GgufGenerator.WriteSplit(folder.Path, "m", spec, 2))
        {
            byte[] content = await File.ReadAllBytesAsync(part, Cancel);
            files[Path.GetFileName(part)] = ModelDigest.Of(content);
            // A part without the name in it is another test's too, and may be there.
            (await StatusAsync(server, HttpMethod.Post, ModelDigest.Of(content), new ByteArrayContent(content))).ShouldBeOneOf(HttpStatusCode.Created, HttpStatusCode.OK);
        }

        string[] lines = await LinesAsync(server, new { model = name, files, stream = isStream });
        await LinesAsync(server, new { model = $"{name}-small", files, quantize = "q8_0", stream = isStream });

        lines[^1].ShouldBe("""{"status":"success"}""");
        if (isStream)
            lines.ShouldContain(line => line.StartsWith("""{"status":"merging 2 parts","digest":"sha256:""", StringComparison.Ordinal));
        (await server.Catalog.FindAsync(ModelName.Parse(name), Cancel))!.Weights.ShouldBe(ModelDigest.Of(await File.ReadAllBytesAsync(folder.File("whole.gguf"), Cancel)));
        (await server.Catalog.FindAsync(ModelName.Parse($"{name}-small"), Cancel))!.Details.QuantizationLevel.ShouldBe("Q8_0");
    }

    [Fact]
    public async Task Create_PartsThatDoNotBelongTogether_IsRefused()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        using TempFolder folder = new();
        GgufGenerator.Write(folder.File("whole.gguf"), new GgufSpec { Name = PullServer.UniqueName() });
        byte[] content = await File.ReadAllBytesAsync(folder.File("whole.gguf"), Cancel);
        string digest = ModelDigest.Of(content);
        (await StatusAsync(server, HttpMethod.Post, digest, new ByteArrayContent(content))).ShouldBe(HttpStatusCode.Created);
        Dictionary<string, string> files = new() { ["m-00001-of-00002.gguf"] = digest, ["m-00002-of-00002.gguf"] = digest };

        using HttpResponseMessage response = await server.Edge.PostAsync("/api/create", JsonSerializer.Serialize(new { model = PullServer.UniqueName(), files }));

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldBe("part 1 of 2 says of itself that it is another one, or none");
    }

    [Fact]
    public async Task Push_Any_IsNotImplementedAndSaysWhy()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);

        using HttpResponseMessage response = await server.Edge.PostAsync("/api/push", """{"model":"demo"}""");

        (await response.ErrorAsync(HttpStatusCode.NotImplemented)).ShouldStartWith("this server does not push");
    }

    private static async Task<byte[]> UploadAsync(PullServer server, string file)
    {
        byte[] content = await File.ReadAllBytesAsync(file, Cancel);
        (await StatusAsync(server, HttpMethod.Post, ModelDigest.Of(content), new ByteArrayContent(content))).ShouldBe(HttpStatusCode.Created);
        return content;
    }

    private static async Task<HttpStatusCode> StatusAsync(PullServer server, HttpMethod method, string digest, HttpContent? content = null)
    {
        using HttpResponseMessage response = await server.Edge.SendAsync(method, $"/api/blobs/{digest}", content);
        return response.StatusCode;
    }

    private static async Task<string[]> LinesAsync(PullServer server, object request)
    {
        using HttpResponseMessage response = await server.Edge.PostAsync("/api/create", JsonSerializer.Serialize(request));
        return await response.LinesAsync();
    }
}
