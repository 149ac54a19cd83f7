using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace OllamaMax.Browser.Tests;

[Collection(nameof(OneSystem))]
public sealed partial class TrafficTests(ConsoleFixture console)
{
    [Fact]
    public async Task Plots_WhileRequestsCome_TellTheirRate()
    {
        await using ConsolePage page = await console.OpenAsync("traffic");

        // The page's own looks are requests too: two scrapes, and there is a rate above nothing.
        ILocator plot = page.Main.Locator(".plot[aria-label^='Requests']");
        await Assertions.Expect(plot).ToHaveAttributeAsync("aria-label", Rate());
        await Assertions.Expect(plot.Locator("canvas")).ToBeVisibleAsync();
        page.ShouldBeUntroubled();
    }

    [GeneratedRegex("^Requests\\. Last: requests/s [0-9.]*[1-9]")]
    private static partial Regex Rate();
}
