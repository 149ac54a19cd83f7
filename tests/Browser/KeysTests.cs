using System.Net;
using System.Net.Http.Headers;
using Microsoft.Playwright;

namespace OllamaMax.Browser.Tests;

[Collection(nameof(OneSystem))]
public sealed class KeysTests(ConsoleFixture console)
{
    [Fact]
    public async Task Key_MadeAndRevoked_IsGoodInBetween()
    {
        await using ConsolePage page = await console.OpenAsync("keys");
        await page.Button("New key").ClickAsync();
        ILocator form = page.Dialog("New key");
        await form.GetByLabel("Name").FillAsync("laptop");
        await form.GetByLabel("Requests a minute").FillAsync("60");
        await form.GetByRole(AriaRole.Button, new() { Name = "Make the key" }).ClickAsync();
        ILocator shown = page.Dialog("The key laptop");
        string key = (await shown.Locator("pre").TextContentAsync())!;
        await shown.GetByRole(AriaRole.Button, new() { Name = "I have it" }).ClickAsync();
        await Assertions.Expect(page.Main).ToContainTextAsync("60 requests a minute");
        (await StatusWithAsync(key)).ShouldBe(HttpStatusCode.OK);

        await page.Button("Revoke laptop").ClickAsync();

        await Assertions.Expect(page.Button("Revoke laptop")).ToBeHiddenAsync();
        (await StatusWithAsync(key)).ShouldBe(HttpStatusCode.Unauthorized);
        await page.GoAsync("audit");
        await Assertions.Expect(page.Main).ToContainTextAsync("DELETE /keys/{id}");
        page.ShouldBeUntroubled();
    }

    private async Task<HttpStatusCode> StatusWithAsync(string key)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "/api/tags") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", key) } };
        using HttpResponseMessage response = await console.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return response.StatusCode;
    }
}
