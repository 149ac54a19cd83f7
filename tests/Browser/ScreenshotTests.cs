using Microsoft.Playwright;
using OllamaMax.Inference.Packages;

namespace OllamaMax.Browser.Tests;

/// <summary>Pictures of every page, for people to look at: <c>docs/console.md</c> has the command.</summary>
[Collection(nameof(OneSystem))]
public sealed class ScreenshotTests(ConsoleFixture console)
{
    private static readonly string Folder = Path.Combine(RepositoryRoot.Find(), "tests", "Browser", "TestResults", "screenshots");

    [Theory(Explicit = true)]
    [InlineData("desktop", 1280, 800, false)]
    [InlineData("desktop", 1280, 800, true)]
    [InlineData("phone", 390, 844, false)]
    [InlineData("phone", 390, 844, true)]
    public async Task EveryPage_IsPhotographed(string device, int width, int height, bool isDark)
    {
        await using ConsolePage page = await console.OpenAsync("traffic", new() { Width = width, Height = height, IsDark = isDark });
        Directory.CreateDirectory(Folder);
        await page.GoAsync("chat");
        await page.AskAsync("demo", "What is OllamaMax?");
        await Assertions.Expect(page.Replies.Last.Locator(".figures")).ToContainTextAsync("tokens/s");
        foreach (string name in Pages.All)
        {
            await page.GoAsync(name);
            await ShootAsync(name);
        }
        foreach ((string name, string button) in new[] { ("chat", "Settings"), ("cluster", "Join a box"), ("models", "Policy of demo:latest"), ("keys", "New key") })
        {
            await page.GoAsync(name);
            await page.Page.GetByRole(AriaRole.Button, new() { Name = button }).ClickAsync();
            await page.Page.GetByRole(AriaRole.Dialog).WaitForAsync();
            await ShootAsync($"{name}-dialog");
            await page.Page.ReloadAsync();
        }
        if (width < 500)
        {
            await page.Button("Navigation").ClickAsync();
            await ShootAsync("navigation");
        }

        Task ShootAsync(string name) => page.Page.ScreenshotAsync(new() { Path = Path.Combine(Folder, $"{name}-{device}-{(isDark ? "dark" : "light")}.png") });
    }
}
