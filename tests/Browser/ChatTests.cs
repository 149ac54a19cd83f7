using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace OllamaMax.Browser.Tests;

[Collection(nameof(OneSystem))]
public sealed partial class ChatTests(ConsoleFixture console)
{
    [Fact]
    public async Task Question_ToTheDemo_IsAnsweredWithFiguresAndKeptOverAReload()
    {
        await using ConsolePage page = await console.OpenAsync("chat");

        await page.AskAsync("demo", "What is OllamaMax?");

        ILocator reply = page.Replies.Last;
        await Assertions.Expect(reply.Locator(".figures")).ToContainTextAsync(Figures());
        await Assertions.Expect(reply.Locator(".markdown")).ToContainTextAsync("OllamaMax");
        await page.Page.ReloadAsync();
        await Assertions.Expect(page.Replies.Last.Locator(".markdown")).ToContainTextAsync("OllamaMax");
        page.ShouldBeUntroubled();
    }

    [Fact]
    public async Task Stop_WhileItAnswers_EndsTheAnswerAndFreesTheComposer()
    {
        await using ConsolePage page = await console.OpenAsync("chat");
        await page.AskAsync(ConsoleFixture.Endless, "Go on");
        await Assertions.Expect(page.Replies.Last.Locator(".markdown")).Not.ToBeEmptyAsync();

        await page.Button("Stop").ClickAsync();

        await Assertions.Expect(page.Replies.Last.Locator(".figures")).ToContainTextAsync("stopped");
        await page.Question.FillAsync("Another");
        await Assertions.Expect(page.Button("Send")).ToBeEnabledAsync();
        page.ShouldBeUntroubled();
    }

    [Fact]
    public async Task Edit_OfAQuestion_AsksAnewFromThere()
    {
        await using ConsolePage page = await console.OpenAsync("chat");
        await page.AskAsync("demo", "What is the capital of France?");
        await Assertions.Expect(page.Replies.Last.Locator(".figures")).ToContainTextAsync("tokens/s");

        await page.Button("Edit").ClickAsync();
        await page.Page.GetByRole(AriaRole.Textbox, new() { Name = "Edited question" }).FillAsync("What is OllamaMax?");
        await page.Button("Ask again").ClickAsync();

        await Assertions.Expect(page.Replies).ToHaveCountAsync(1);
        await Assertions.Expect(page.Replies.Last.Locator(".markdown")).ToContainTextAsync("OllamaMax");
        await Assertions.Expect(page.Page.Locator("article.question")).ToContainTextAsync("What is OllamaMax?");
    }

    [Fact]
    public async Task Answer_StoppedInAnotherTab_IsTakenFromThere()
    {
        await using ConsolePage page = await console.OpenAsync("chat");
        await page.AskAsync(ConsoleFixture.Endless, "Go on");
        await Assertions.Expect(page.Replies.Last.Locator(".markdown")).Not.ToBeEmptyAsync();
        IPage other = await page.Page.Context.NewPageAsync();
        // It follows the answer, and hears nothing of it until the job is forgotten.
        await other.RouteAsync("**/jobs/*/*", route => route.AbortAsync());
        await other.GotoAsync("console/#/chat");
        ILocator reply = other.Locator("article.reply").Last;
        await Assertions.Expect(reply).ToHaveAttributeAsync("aria-busy", "true");
        await page.Page.RunAndWaitForResponseAsync(() => page.Button("Stop").ClickAsync(), answer => answer.Request.Method == "DELETE" && answer.Status == 204);

        await other.UnrouteAllAsync();

        await Assertions.Expect(reply.Locator(".figures")).ToContainTextAsync("stopped");
        await other.ReloadAsync();
        await Assertions.Expect(reply.Locator(".figures")).ToContainTextAsync("stopped");
        await Assertions.Expect(reply.GetByRole(AriaRole.Alert)).ToHaveCountAsync(0);
        page.ShouldBeUntroubled();
    }

    [Fact]
    public async Task Chat_OpenInTwoTabs_KeepsWhatEachAsksAndStaysDeleted()
    {
        await using ConsolePage page = await console.OpenAsync("chat");
        await page.AskAsync("demo", "What is OllamaMax?");
        await Assertions.Expect(page.Replies.Last.Locator(".figures")).ToContainTextAsync("tokens/s");
        ConsolePage other = new(await page.Page.Context.NewPageAsync());
        await other.GoAsync("chat");
        await other.AskAsync("demo", "What is the capital of France?");
        await Assertions.Expect(other.Replies).ToHaveCountAsync(2);
        await Assertions.Expect(other.Replies.Last.Locator(".figures")).ToContainTextAsync("tokens/s");

        await page.AskAsync("demo", "What is OllamaMax?");

        await Assertions.Expect(page.Replies).ToHaveCountAsync(3);
        await Assertions.Expect(page.Replies.Last.Locator(".figures")).ToContainTextAsync("tokens/s");
        await page.Page.ReloadAsync();
        await Assertions.Expect(page.Replies).ToHaveCountAsync(3);
        await page.Button("Delete the chat What is OllamaMax?").ClickAsync();
        await other.AskAsync("demo", "What is OllamaMax?");
        await Assertions.Expect(other.Replies).ToHaveCountAsync(0);
        await other.Page.ReloadAsync();
        await Assertions.Expect(other.Replies).ToHaveCountAsync(0);
        page.ShouldBeUntroubled();
    }

    [GeneratedRegex(@"worker-[12] · first text after .* · [0-9.]+ tokens/s · [0-9]+ tokens")]
    private static partial Regex Figures();
}
