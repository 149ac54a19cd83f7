using Microsoft.Playwright;

namespace OllamaMax.Browser.Tests;

[Collection(nameof(OneSystem))]
public sealed class CompareTests(ConsoleFixture console)
{
    [Fact]
    public async Task Prompt_ToOneModelTwice_IsAnsweredSideBySide()
    {
        await using ConsolePage page = await console.OpenAsync("compare");
        await page.Main.GetByRole(AriaRole.Combobox, new() { Name = "Models" }).Or(page.Main.GetByRole(AriaRole.Textbox, new() { Name = "Models" })).ClickAsync();
        await page.Page.GetByRole(AriaRole.Option, new() { Name = "demo" }).ClickAsync();
        await page.Main.GetByLabel("Answers of each").FillAsync("2");
        await page.Main.GetByLabel("Prompt").FillAsync("What is OllamaMax?");

        await page.Button("Ask all").ClickAsync();

        ILocator answers = page.Main.GetByRole(AriaRole.Article);
        await Assertions.Expect(answers).ToHaveCountAsync(2);
        for (int index = 0; index < 2; index++)
        {
            await Assertions.Expect(answers.Nth(index)).ToContainTextAsync("tokens/s");
            await Assertions.Expect(answers.Nth(index).Locator(".markdown")).ToContainTextAsync("OllamaMax");
        }
        page.ShouldBeUntroubled();
    }
}
