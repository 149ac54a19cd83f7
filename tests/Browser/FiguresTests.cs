using System.Text.Json;
using OllamaMax.Inference.Packages;
using OllamaMax.TestKit;

namespace OllamaMax.Browser.Tests;

/// <summary>What the page of the traffic makes of two scrapes; this needs no browser.</summary>
public sealed class FiguresTests
{
    [Fact]
    public async Task Figures_OfTwoScrapes_AreThoseOfPrometheus()
    {
        await using NodeScript script = new(NodeScript.Beside("figures.mjs"), RepositoryRoot.Find());

        (await NextAsync(script, "requests")).GetDouble().ShouldBe(33);
        (await NextAsync(script, "errors")).ToString().ShouldBe("""{"503":3}""");
        (await NextAsync(script, "rate")).GetDouble().ShouldBe(2.2, 1e-9);
        (await NextAsync(script, "restarted")).GetDouble().ShouldBe(0.4, 1e-9);
        (await NextAsync(script, "p50")).GetDouble().ShouldBe(0.3, 1e-9);
        (await NextAsync(script, "p100")).GetDouble().ShouldBe(0.5, 1e-9);
        (await NextAsync(script, "nothing")).ValueKind.ShouldBe(JsonValueKind.Null);
        (await NextAsync(script, "restarted p50")).GetDouble().ShouldBe(0.05, 1e-9);
    }

    private static async Task<JsonElement> NextAsync(NodeScript script, string name)
    {
        (string what, JsonElement value) = await script.NextAsync(TestContext.Current.CancellationToken);
        what.ShouldBe(name);
        return value;
    }
}
