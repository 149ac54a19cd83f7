using System.Text.RegularExpressions;
using Microsoft.Playwright;
using OllamaMax.TestKit;

namespace OllamaMax.Browser.Tests;

[Collection(nameof(OneSystem))]
public sealed partial class ClusterTests(ConsoleFixture console)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Join_WithTheCommandThatIsShown_BringsTheBox()
    {
        await using ConsolePage page = await console.OpenAsync("cluster");
        await page.Button("Join a box").ClickAsync();
        ILocator dialog = page.Dialog("Join a box");
        string command = (await dialog.Locator("pre").TextContentAsync())!;
        // Storage and SignalR listen on this machine alone.
        command.ShouldStartWith($"ssh -fN -L {console.System.BaseAddress.Port}:127.0.0.1:{console.System.BaseAddress.Port} -L ");
        command.ShouldEndWith($"--edge {console.System.BaseAddress.GetLeftPart(UriPartial.Authority)}");

        await using JoinedWorker box = await JoinedWorker.StartAsync(console.System.BaseAddress, Token().Match(command).Groups[1].Value, new() { Name = "box" }, Cancellation);

        await Assertions.Expect(dialog.GetByRole(AriaRole.Status)).ToHaveTextAsync("box has joined.");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Close" }).Last.ClickAsync();
        await Assertions.Expect(page.Main.GetByRole(AriaRole.Article, new() { Name = "box" })).ToContainTextAsync("alive");
        page.ShouldBeUntroubled();
    }

    [Fact]
    public async Task Join_OnAPageUnderAKeysPath_ShowsACommandWithoutTheKey()
    {
        await using ConsolePage page = await console.OpenAsync("cluster", new() { HasKey = false, BaseAddress = new(console.System.BaseAddress, $"k/{console.System.AdminKey}/") });

        await page.Button("Join a box").ClickAsync();

        string command = (await page.Dialog("Join a box").Locator("pre").TextContentAsync())!;
        command.ShouldEndWith($"--edge {console.System.BaseAddress.GetLeftPart(UriPartial.Authority)}");
        command.ShouldNotContain(console.System.AdminKey);
        page.ShouldBeUntroubled();
    }

    [Fact]
    public async Task Drain_ShowsOnTheCardUntilItIsTakenBack()
    {
        await using ConsolePage page = await console.OpenAsync("cluster");
        ILocator card = page.Main.GetByRole(AriaRole.Article, new() { Name = "worker-2" });

        await page.Button("What worker-2 is to do").ClickAsync();
        await page.Page.GetByRole(AriaRole.Menuitem, new() { NameRegex = Drain() }).ClickAsync();
        await Assertions.Expect(card).ToContainTextAsync(Drains());
        await page.Button("What worker-2 is to do").ClickAsync();
        await page.Page.GetByRole(AriaRole.Menuitem, new() { Name = "Take jobs again" }).ClickAsync();

        await Assertions.Expect(card).ToContainTextAsync("alive");
        page.ShouldBeUntroubled();
    }

    /// <summary>It runs nothing, and says so before long.</summary>
    [GeneratedRegex("draining|drained")]
    private static partial Regex Drains();

    [GeneratedRegex("OLLAMAMAX_JOIN_TOKEN=([^ ]+) ")]
    private static partial Regex Token();

    [GeneratedRegex("^Drain")]
    private static partial Regex Drain();
}
