using System.Text.Json;
using Microsoft.Playwright;
using OllamaMax.Inference.Packages;

namespace OllamaMax.Browser.Tests;

/// <summary>axe-core's rules (https://dequeuniversity.com/rules/axe) on every page.</summary>
[Collection(nameof(OneSystem))]
public sealed class AccessibilityTests(ConsoleFixture console)
{
    private static readonly string Axe = Path.Combine(RepositoryRoot.Find(), "node_modules", "axe-core", "axe.min.js");

    [Theory]
    [InlineData(1280, false)]
    [InlineData(390, true)]
    public async Task EveryPage_HasNoSeriousFindingAndFitsItsWidth(int width, bool isDark)
    {
        await using ConsolePage page = await console.OpenAsync("chat", new() { Width = width, IsDark = isDark });
        await page.AskAsync("demo", "What is OllamaMax?");
        await Assertions.Expect(page.Replies.Last.Locator(".figures")).ToContainTextAsync("tokens/s");
        string axe = await File.ReadAllTextAsync(Axe, TestContext.Current.CancellationToken);
        await page.Page.EvaluateAsync(axe);
        List<string> findings = [];

        foreach (string name in Pages.All)
        {
            await page.GoAsync(name);
            JsonElement found = await page.Page.EvaluateAsync<JsonElement>("axe.run({ resultTypes: ['violations'] }).then((results) => results.violations)");
            findings.AddRange(found.EnumerateArray().Where(IsSerious).Select(violation => $"{name}: {Describe(violation)}"));
            if (await page.Page.EvaluateAsync<int>("document.documentElement.scrollWidth") > width)
                findings.Add($"{name}: wider than the window");
        }

        findings.ShouldBeEmpty();
        page.ShouldBeUntroubled();
    }

    private static bool IsSerious(JsonElement violation) => violation.GetProperty("impact").GetString() is "serious" or "critical";

    private static string Describe(JsonElement violation) =>
        $"{violation.GetProperty("id")}: {violation.GetProperty("help")}: {string.Join(", ", violation.GetProperty("nodes").EnumerateArray().Take(3).Select(node => node.GetProperty("html").GetString()))}";
}
