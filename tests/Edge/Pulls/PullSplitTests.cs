using OllamaMax.Models;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Edge.Tests.Pulls;

/// <summary>Models that come in parts are one model here.</summary>
public sealed class PullSplitTests(AzuriteFixture azurite) : IDisposable
{
    private const string Success = """{"status":"success"}""";

    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Pull_AddressOfAPart_BringsAllOfThem()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        (byte[] whole, (string Path, byte[] Content)[] parts) = Split(71, name);
        foreach ((string path, byte[] content) in parts)
            server.Registry.Replace(path, content);

        string[] lines = await server.LinesAsync(new { model = name, from = $"{server.Registry.ContentUrl}/content/{parts[1].Path}?download=true" });

        lines[^3..].ShouldBe(["""{"status":"verifying sha256 digest"}""", """{"status":"writing manifest"}""", Success]);
        foreach ((string path, byte[] content) in parts)
            lines.ShouldContain($$"""{"status":"pulling {{path}}","total":{{content.Length}},"completed":{{content.Length}}}""");
        ModelView model = (await server.Catalog.FindAsync(ModelName.Parse(name), Cancel))!;
        (model.Weights, model.WeightsSize).ShouldBe((ModelDigest.Of(whole), whole.Length));
    }

    [Fact]
    public async Task Pull_RepositoryWhoseRegistryRefusesSplitModels_FindsThePartsOfTheQuantization()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        (byte[] whole, (string Path, byte[] Content)[] wanted) = Split(72, $"{name}-Q4_K_M");
        (_, (string Path, byte[] Content)[] others) = Split(73, $"{name}-IQ4_K_M");
        server.Registry.AddRepository(
            $"org/{name}", [.. wanted.Select(part => ($"Q4_K_M/{part.Path}", part.Content)), .. others.Select(part => ($"IQ4_K_M/{part.Path}", part.Content)), ("README.md", [1])]);

        string[] lines = await server.LinesAsync(new { model = $"hf.co/org/{name}:q4_k_m" });
        string[] unknown = await server.LinesAsync(new { model = $"hf.co/org/{name}:Q8_0" });

        lines[^1].ShouldBe(Success);
        (await server.Catalog.FindAsync(ModelName.Parse($"hf.co/org/{name}:Q4_K_M"), Cancel))!.Weights.ShouldBe(ModelDigest.Of(whole));
        unknown[^1].ShouldBe("""{"error":"pull model manifest: 127.0.0.1 answered 400: The specified tag is not available in the repository. Please use another tag or \"latest\""}""");
    }

    [Fact]
    public async Task Pull_PartThatIsNotWhatTheListSays_IsThrownAway()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        (_, (string Path, byte[] Content)[] parts) = Split(74, name);
        server.Registry.AddRepository($"org/{name}", parts);
        byte[] flipped = [.. parts[1].Content];
        flipped[^1] ^= 1;
        server.Registry.Replace(parts[1].Path, flipped);

        string[] wrong = await server.LinesAsync(new { model = $"hf.co/org/{name}" });
        server.Registry.Replace(parts[1].Path, parts[1].Content);
        string[] right = await server.LinesAsync(new { model = $"hf.co/org/{name}" });

        wrong[^1].ShouldStartWith("""{"error":"digest mismatch, expected """);
        right[^1].ShouldBe(Success);
    }

    [Fact]
    public async Task Pull_PartsOfTwoModels_SaysSo()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        (_, (string Path, byte[] Content)[] parts) = Split(75, name);
        server.Registry.Replace(parts[0].Path, parts[0].Content);
        server.Registry.Replace(parts[1].Path, parts[0].Content);

        string[] lines = await server.LinesAsync(new { model = name, from = $"{server.Registry.ContentUrl}/content/{parts[0].Path}" });

        lines[^1].ShouldBe("""{"error":"the parts cannot be made one model: part 2 of 2 says of itself that it is another one, or none"}""");
    }

    private (byte[] Whole, (string Path, byte[] Content)[] Parts) Split(ulong seed, string stem)
    {
        GgufSpec spec = new() { Seed = seed, Name = stem };
        GgufGenerator.Write(_folder.File(stem), spec);
        return (File.ReadAllBytes(_folder.File(stem)), [.. GgufGenerator.WriteSplit(_folder.Path, stem, spec, 2).Select(path => (Path.GetFileName(path), File.ReadAllBytes(path)))]);
    }
}
