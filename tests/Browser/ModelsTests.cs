using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using OllamaMax.TestKit;

namespace OllamaMax.Browser.Tests;

[Collection(nameof(OneSystem))]
public sealed partial class ModelsTests(ConsoleFixture console)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pull_ShowsItsProgressAndThenTheModel()
    {
        await using ConsolePage page = await console.OpenAsync("models");
        await page.Page.GetByLabel("Pull a model").FillAsync(ModelSource.Model);
        await page.Button("Pull").ClickAsync();
        ILocator bar = page.Main.Locator("form [role=progressbar]");

        await Assertions.Expect(bar).ToHaveAttributeAsync("aria-valuenow", Half());
        console.Source.Finish();

        await Assertions.Expect(page.Main.GetByRole(AriaRole.Cell, new() { Name = ModelSource.Model }).First).ToBeVisibleAsync();
        page.ShouldBeUntroubled();
    }

    [Fact]
    public async Task Pull_AddressOfAFile_IsGivenTheFilesName()
    {
        await using ConsolePage page = await console.OpenAsync("models");
        await page.Page.GetByLabel("Pull a model").FillAsync($"{console.Source.Address}files/By-Address.gguf");

        await Assertions.Expect(page.Page.GetByLabel("Its name here")).ToHaveAttributeAsync("placeholder", "by-address");
        await page.Button("Pull").ClickAsync();

        await Assertions.Expect(page.Main.GetByRole(AriaRole.Cell, new() { Name = "by-address:latest" }).First).ToBeVisibleAsync();
        page.ShouldBeUntroubled();
    }

    [Fact]
    public async Task Pull_InTheBackground_IsSeenAmongTheTransfersWithItsEnd()
    {
        await using ConsolePage page = await console.OpenAsync("models");
        await page.Page.GetByLabel("Pull a model").FillAsync("localhost:9/some/background");

        await page.Button("In the background").ClickAsync();

        await Assertions.Expect(page.Page.GetByLabel("Pull a model")).ToHaveValueAsync("");
        await Assertions.Expect(page.Main.GetByText("localhost:9/some/background:latest")).ToBeVisibleAsync();
        // There is nobody at that port, which is found out in half a minute.
        await page.Main.GetByRole(AriaRole.Button, new() { Name = "Cancel", Exact = true }).ClickAsync();
        await Assertions.Expect(page.Main.GetByText("the pull was cancelled")).ToBeVisibleAsync();
        page.ShouldBeUntroubled();
    }

    [Fact]
    public async Task Policy_OfTwoCopies_BringsTheSecond()
    {
        // The system's own workers share a disk, and count as one.
        using HttpResponseMessage response = await console.Client.PostAsync("/cluster/join-tokens", null, Cancellation);
        string? token = (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("token").GetString();
        await using JoinedWorker other = await JoinedWorker.StartAsync(console.System.BaseAddress, token, new() { Name = "other" }, Cancellation);
        await using ConsolePage page = await console.OpenAsync("models");
        ILocator row = page.Main.GetByRole(AriaRole.Row).Filter(new() { Has = page.Page.GetByText("Policy of endless:latest") });

        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Policy of endless:latest" }).ClickAsync();
        ILocator dialog = page.Dialog("Policy of endless:latest");
        await dialog.GetByLabel("At least").FillAsync("2");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Set" }).ClickAsync();

        await Assertions.Expect(row).ToContainTextAsync("2 to any");
        await Assertions.Expect(row).ToContainTextAsync("2 there");
        page.ShouldBeUntroubled();
    }

    [GeneratedRegex("^(4[0-9]|5[0-9])")]
    private static partial Regex Half();
}
