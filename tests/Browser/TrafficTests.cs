using Microsoft.Playwright;

namespace OllamaMax.Browser.Tests;

[Collection(nameof(OneSystem))]
public sealed class TrafficTests(ConsoleFixture console)
{
    [Fact]
    public async Task Plots_WhileRequestsCome_TellTheirRate()
    {
        await using ConsolePage page = await console.OpenAsync("traffic");

        // The page's own looks are requests too: two scrapes, and there is a rate above nothing.
        await Assertions.Expect(page.Main.GetByRole(AriaRole.Img, new() { NameRegex = new("^Requests\\. Last: requests/s [0-9.]*[1-9]") })).ToBeVisibleAsync();
        await Assertions.Expect(page.Main.Locator(".plot canvas").First).ToBeVisibleAsync();
        page.ShouldBeUntroubled();
    }
}
