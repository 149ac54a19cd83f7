using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using OllamaMax.TestKit;

namespace OllamaMax.Browser.Tests;

/// <summary>Pages that reach their edge by another way than over this machine's own address.</summary>
[Collection(nameof(OneSystem))]
public sealed class ReachTests(ConsoleFixture console)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Page_OverPlainHttpFromElsewhere_AsksAndIsAnswered()
    {
        await using ConsolePage page = await console.OpenAsync("chat", new() { BaseAddress = new UriBuilder(console.System.BaseAddress) { Host = ConsoleFixture.ElsewhereHost }.Uri });
        // What the page has to do without.
        (await page.Page.EvaluateAsync<bool>("isSecureContext || 'randomUUID' in crypto || 'clipboard' in navigator")).ShouldBeFalse();

        await page.AskAsync("demo", "What is OllamaMax?");

        await Assertions.Expect(page.Replies.Last.Locator(".figures")).ToContainTextAsync("tokens/s");
        await Assertions.Expect(page.Replies.Last.Locator(".markdown")).ToContainTextAsync("OllamaMax");
        page.ShouldBeUntroubled();
    }

    [Fact]
    public async Task Page_ThatTheEdgeNoLongerHas_SaysSoAndTheReloadBringsIt()
    {
        await using ConsolePage page = await console.OpenAsync("chat");
        await page.Page.RouteAsync("**/assets/AuditPage*", static route => route.FulfillAsync(new() { Status = StatusCodes.Status404NotFound }));

        await page.GoAsync("audit");

        ILocator broken = page.Main.GetByRole(AriaRole.Alert).Filter(new() { HasText = "The page cannot be shown" });
        await Assertions.Expect(broken).ToBeVisibleAsync();
        await page.GoAsync("cluster");
        await Assertions.Expect(broken).ToHaveCountAsync(0);
        await page.GoAsync("audit");
        await page.Page.UnrouteAllAsync();
        await page.Button("Reload").ClickAsync();
        await Assertions.Expect(page.Button("Reload")).ToHaveCountAsync(0);
        await Assertions.Expect(page.Main.GetByRole(AriaRole.Heading, new() { Name = "Audit" })).ToBeVisibleAsync();
        await Assertions.Expect(broken).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Answer_WhileTheEdgeIsAwayForAMoment_GoesOn()
    {
        await using TcpRelay relay = new(console.System.BaseAddress.Port);
        await using ConsolePage page = await console.OpenAsync("chat", new() { BaseAddress = new UriBuilder(console.System.BaseAddress) { Port = relay.Port }.Uri });
        // Without SignalR each token comes from the edge.
        await page.Page.RouteAsync("**/negotiate*", route => route.AbortAsync());
        await page.AskAsync(ConsoleFixture.Endless, "Go on");
        ILocator text = page.Replies.Last.Locator(".markdown");
        await Assertions.Expect(text).Not.ToBeEmptyAsync();

        // The stream is cut off, asked for in vain, and then of an edge that has only just come back.
        TaskCompletionSource away = new(TaskCreationOptions.RunContinuationsAsynchronously), refused = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int failures = 0;
        page.Page.RequestFailed += (_, request) =>
        {
            if (request.Url.Contains("/stream?", StringComparison.Ordinal) && Interlocked.Increment(ref failures) == 2)
                away.TrySetResult();
        };
        relay.CutOff(_ => true);
        await away.Task.WaitAsync(Cancellation);
        await page.Page.RouteAsync("**/stream?*", RefuseAsync, new() { Times = 1 });
        relay.CutOff(_ => false);
        await refused.Task.WaitAsync(Cancellation);
        int before = (await text.TextContentAsync())!.Length;

        while ((await text.TextContentAsync())!.Length <= before)
            await page.Page.EvaluateAsync("new Promise(requestAnimationFrame)").WaitAsync(Cancellation);
        await page.Button("Stop").ClickAsync();
        await Assertions.Expect(page.Replies.Last.Locator(".figures")).ToContainTextAsync("stopped");
        page.ShouldBeUntroubled();

        async Task RefuseAsync(IRoute route)
        {
            await route.FulfillAsync(new() { Status = StatusCodes.Status503ServiceUnavailable });
            refused.TrySetResult();
        }
    }
}
