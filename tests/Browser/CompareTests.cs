using Microsoft.Playwright;

namespace OllamaMax.Browser.Tests;

[Collection(nameof(OneSystem))]
public sealed class CompareTests(ConsoleFixture console)
{
    [Fact]
    public async Task Prompt_ToOneModelTwice_IsAnsweredSideBySide()
    {
        await using ConsolePage page = await console.OpenAsync("compare");
        await FillAsync(page, "demo", "What is OllamaMax?");

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

    [Fact]
    public async Task Stop_WhileTwoAnswer_EndsBoth()
    {
        await using ConsolePage page = await console.OpenAsync("compare");
        await FillAsync(page, ConsoleFixture.Endless, "Go on");
        await page.Button("Ask all").ClickAsync();
        ILocator answers = page.Main.GetByRole(AriaRole.Article);
        await Assertions.Expect(answers.First.Locator(".markdown")).Not.ToBeEmptyAsync();

        await page.Button("Stop").ClickAsync();

        for (int index = 0; index < 2; index++)
            await Assertions.Expect(answers.Nth(index)).ToContainTextAsync("stopped");
        await Assertions.Expect(page.Button("Stop")).ToBeHiddenAsync();
        await Assertions.Expect(page.Main.GetByRole(AriaRole.Alert)).ToHaveCountAsync(0);
        page.ShouldBeUntroubled();
    }

    /// <summary>Two answers of one model.</summary>
    private static async Task FillAsync(ConsolePage page, string model, string prompt)
    {
        await page.Main.GetByRole(AriaRole.Combobox, new() { Name = "Models" }).Or(page.Main.GetByRole(AriaRole.Textbox, new() { Name = "Models" })).ClickAsync();
        await page.Page.GetByRole(AriaRole.Option, new() { Name = model }).ClickAsync();
        await page.Main.GetByLabel("Answers of each").FillAsync("2");
        await page.Main.GetByLabel("Prompt").FillAsync(prompt);
    }
}
