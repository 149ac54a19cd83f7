using Microsoft.Playwright;

namespace OllamaMax.Browser.Tests;

[Collection(nameof(OneSystem))]
public sealed class ModelsTests(ConsoleFixture console)
{
    [Fact]
    public async Task Pull_ShowsItsProgressAndThenTheModel()
    {
        await using ConsolePage page = await console.OpenAsync("models");
        await page.Page.GetByLabel("Pull a model").FillAsync(ModelSource.Model);
        await page.Button("Pull").ClickAsync();
        ILocator bar = page.Main.Locator("form [role=progressbar]");

        await Assertions.Expect(bar).ToHaveAttributeAsync("aria-valuenow", new System.Text.RegularExpressions.Regex("^(4[0-9]|5[0-9])"));
        console.Source.Finish();

        await Assertions.Expect(page.Main.GetByRole(AriaRole.Cell, new() { Name = ModelSource.Model }).First).ToBeVisibleAsync();
        page.ShouldBeUntroubled();
    }

    [Fact]
    public async Task Policy_OfTwoCopies_BringsTheSecond()
    {
        await using ConsolePage page = await console.OpenAsync("models");
        ILocator row = page.Main.GetByRole(AriaRole.Row).Filter(new() { Has = page.Page.GetByText("Policy of endless:latest") });

        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Policy of endless:latest" }).ClickAsync();
        ILocator dialog = page.Dialog("Policy of endless:latest");
        await dialog.GetByLabel("At least").FillAsync("2");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Set" }).ClickAsync();

        await Assertions.Expect(row).ToContainTextAsync("2 to any");
        await Assertions.Expect(row).ToContainTextAsync("2 there");
        await Assertions.Expect(row.Locator(".state")).ToHaveCountAsync(2);
        page.ShouldBeUntroubled();
    }
}
