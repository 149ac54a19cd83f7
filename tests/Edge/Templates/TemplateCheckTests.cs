using System.Text.Json;
using OllamaMax.Edge.Templates;
using OllamaMax.Edge.Tests.Pulls;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Models;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Edge.Tests.Templates;

/// <summary>Models whose template does not work: they are published, and it is said.</summary>
public sealed class TemplateCheckTests(AzuriteFixture azurite)
{
    private const string Success = """{"status":"success"}""";
    private const string Broken = "{{ messages | nosuchfilter }}";
    private const string BrokenWithTools = "{{ messages[0].content }}{% if tools %}{{ tools | nosuchfilter }}{% endif %}";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Broken, "messages")]
    [InlineData(BrokenWithTools, "tools")]
    [InlineData(TemplateShapes.Qwen3, null)]
    public async Task Create_TemplateOfAFile_IsTried(string template, string? fault)
    {
        using PromptTemplates templates = TemplateModels.Templates();
        await using PullServer server = await PullServer.StartAsync(azurite, renderer: templates);
        byte[] weights = Weights(template);
        string digest = ModelDigest.Of(weights), name = PullServer.UniqueName();
        (await server.Edge.SendAsync(HttpMethod.Post, $"/api/blobs/{digest}", new ByteArrayContent(weights))).Dispose();

        string[] lines = await CreateAsync(server, new { model = name, files = new Dictionary<string, string> { ["a.gguf"] = digest } });

        lines.Length.ShouldBe(fault is null ? 3 : 4);
        lines[^1].ShouldBe(Success);
        if (fault is not null)
        {
            lines[^2].ShouldStartWith($$"""{"status":"warning: the chat template does not work with {{fault}}: """);
            server.Edge.Logs.Lines.ShouldContain(line => line.Contains($"does not work with {fault}", StringComparison.Ordinal));
        }
        (await server.Catalog.FindAsync(ModelName.Parse(name), Cancel)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Create_TemplateOfTheRequest_IsTried()
    {
        using PromptTemplates templates = TemplateModels.Templates();
        await using PullServer server = await PullServer.StartAsync(azurite, renderer: templates);
        byte[] weights = Weights(TemplateShapes.Qwen3);
        string digest = ModelDigest.Of(weights), source = PullServer.UniqueName();
        (await server.Edge.SendAsync(HttpMethod.Post, $"/api/blobs/{digest}", new ByteArrayContent(weights))).Dispose();
        await CreateAsync(server, new { model = source, files = new Dictionary<string, string> { ["a.gguf"] = digest } });

        string[] derived = await CreateAsync(server, new { model = PullServer.UniqueName(), from = source, template = Broken });
        string[] quantized = await CreateAsync(server, new { model = PullServer.UniqueName(), from = source, template = Broken, quantize = "q8_0" });

        derived[^2].ShouldContain("warning: the chat template does not work");
        quantized[^2].ShouldContain("warning: the chat template does not work");
        (derived[^1], quantized[^1]).ShouldBe((Success, Success));
    }

    [Fact]
    public async Task Pull_TemplateOfTheFile_IsTried()
    {
        using PromptTemplates templates = TemplateModels.Templates();
        await using PullServer server = await PullServer.StartAsync(azurite, renderer: templates);
        string name = PullServer.UniqueName();
        server.Registry.AddModel($"library/{name}/latest", Weights(Broken));

        string[] lines = await server.LinesAsync(new { model = name });

        lines[^2].ShouldContain("warning: the chat template does not work");
        lines[^1].ShouldBe(Success);
    }

    private static byte[] Weights(string template)
    {
        using TempFolder folder = new();
        GgufGenerator.Write(folder.File("model.gguf"), new GgufSpec { Name = PullServer.UniqueName(), ChatTemplate = template });
        return File.ReadAllBytes(folder.File("model.gguf"));
    }

    private static async Task<string[]> CreateAsync(PullServer server, object request)
    {
        using HttpResponseMessage response = await server.Edge.PostAsync("/api/create", JsonSerializer.Serialize(request));
        return await response.LinesAsync();
    }
}
