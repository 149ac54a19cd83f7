using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace OllamaMax.Browser.Tests;

/// <summary>The console in a browser, and what the browser had to object to.</summary>
internal sealed class ConsolePage : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _troubles = new();

    public ConsolePage(IPage page)
    {
        Page = page;
        page.PageError += (_, error) => _troubles.Enqueue(error);
        page.Console += (_, message) =>
        {
            // What the edge refuses, such as a key, stands there too, and is no trouble of the page's.
            if (message.Text.Contains("Content Security Policy", StringComparison.OrdinalIgnoreCase))
                _troubles.Enqueue(message.Text);
        };
        page.Dialog += (_, dialog) => _ = dialog.AcceptAsync();
    }

    public IPage Page { get; }

    public ILocator Main => Page.Locator("main");

    public ILocator Question => Page.GetByRole(AriaRole.Textbox, new() { Name = "Question" });

    public ILocator Replies => Page.Locator("article.reply");

    public ILocator Button(string name) => Page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    public ILocator Dialog(string title) => Page.GetByRole(AriaRole.Dialog, new() { Name = title });

    /// <summary>Goes to a page and waits for what of it is loaded when it is first asked for.</summary>
    public async Task GoAsync(string page)
    {
        await Page.GotoAsync($"console/#/{page}");
        await Page.Locator($"nav a[href='#/{page}'][aria-current=page]").WaitForAsync(new() { State = WaitForSelectorState.Attached });
        await Page.Locator("main h1, .chat-main").First.WaitForAsync();
        await Assertions.Expect(Page.Locator("main [aria-busy=true]")).ToHaveCountAsync(0);
    }

    /// <summary>Chooses a model in the chat, types a question and sends it.</summary>
    public async Task AskAsync(string model, string question)
    {
        ILocator choice = Page.GetByRole(AriaRole.Combobox, new() { Name = "Model" }).Or(Page.GetByRole(AriaRole.Textbox, new() { Name = "Model", Exact = true }));
        await choice.ClickAsync();
        await Page.GetByRole(AriaRole.Option, new() { Name = model }).ClickAsync();
        await Question.FillAsync(question);
        await Question.PressAsync("Enter");
    }

    /// <summary>Neither an error that nobody caught nor anything that the page's policy forbids.</summary>
    public void ShouldBeUntroubled() => _troubles.ShouldBeEmpty();

    public async ValueTask DisposeAsync() => await Page.Context.DisposeAsync();
}
