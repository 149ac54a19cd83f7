using Microsoft.Playwright;

namespace OllamaMax.Browser.Tests;

[Collection(nameof(OneSystem))]
public sealed class KeyEntryTests(ConsoleFixture console)
{
    [Fact]
    public async Task Console_WithoutKey_AsksForOneAndKeepsItForTheTab()
    {
        await using ConsolePage page = await console.OpenAsync("cluster", new() { HasKey = false });
        ILocator dialog = page.Dialog("A key, please");

        await dialog.GetByLabel("Key").FillAsync($"omx_0123456789abcdef_{new string('0', 64)}");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Use this key" }).ClickAsync();
        await Assertions.Expect(dialog.GetByRole(AriaRole.Alert)).ToContainTextAsync("the key is not known");
        await dialog.GetByLabel("Key").FillAsync(console.System.AdminKey);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Use this key" }).ClickAsync();

        await Assertions.Expect(dialog).ToBeHiddenAsync();
        await Assertions.Expect(page.Main.GetByText("worker-1", new() { Exact = true })).ToBeVisibleAsync();
        (await page.Page.EvaluateAsync<string?>("sessionStorage.getItem('ollamamax.key')")).ShouldBe(console.System.AdminKey);
        (await page.Page.EvaluateAsync<string>("JSON.stringify(localStorage) + document.cookie")).ShouldNotContain("omx_");
        page.ShouldBeUntroubled();
    }
}
