using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Playwright;

namespace OllamaMax.Browser.Tests;

[Collection(nameof(OneSystem))]
public sealed class KeysTests(ConsoleFixture console)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

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

    [Fact]
    public async Task Key_Changed_IsAsWasSaidUnlessSomebodyElseWasFirst()
    {
        using HttpResponseMessage made = await console.Client.PostAsJsonAsync("/keys", new { name = "shared", models = (string[])["demo", "qwen3*"], limits = new { requests_per_minute = 60, concurrent = 2 } }, Cancellation);
        string id = (await made.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("id").GetString()!;
        await using ConsolePage page = await console.OpenAsync("keys");
        await page.Button("Change shared").ClickAsync();
        ILocator form = page.Dialog("Change shared");
        ILocator change = form.GetByRole(AriaRole.Button, new() { Name = "Change", Exact = true });
        await Assertions.Expect(form.GetByLabel("Requests a minute")).ToHaveValueAsync("60");
        await Assertions.Expect(change).ToBeDisabledAsync();
        await form.GetByLabel("Requests a minute").FillAsync("");
        await form.GetByLabel("Tokens a day").FillAsync("5000");
        await form.GetByLabel("Expires").FillAsync("2999-01-02T03:04");
        (await console.Client.PatchAsJsonAsync($"/keys/{id}", new { name = "ours" }, Cancellation)).StatusCode.ShouldBe(HttpStatusCode.OK);

        await change.ClickAsync();
        await Assertions.Expect(form.GetByRole(AriaRole.Alert)).ToContainTextAsync("Somebody else has changed this key");
        await form.GetByRole(AriaRole.Button, new() { Name = "Show it as it is now" }).ClickAsync();
        form = page.Dialog("Change ours");
        await Assertions.Expect(form.GetByLabel("Tokens a day")).ToHaveValueAsync("5000");
        await form.GetByRole(AriaRole.Button, new() { Name = "Change", Exact = true }).ClickAsync();

        await Assertions.Expect(form).ToBeHiddenAsync();
        await Assertions.Expect(page.Main).ToContainTextAsync("5,000 tokens a day");
        JsonElement key = await console.Client.GetFromJsonAsync<JsonElement>($"/keys/{id}", Cancellation);
        key.GetProperty("name").GetString().ShouldBe("ours");
        key.GetProperty("limits").GetRawText().ShouldBe("""{"tokens_per_day":5000,"concurrent":2}""");
        key.GetProperty("models").GetRawText().ShouldBe("""["demo","qwen3*"]""");
        key.GetProperty("expires_at").GetDateTime().Year.ShouldBe(2999);
        page.ShouldBeUntroubled();
    }

    private async Task<HttpStatusCode> StatusWithAsync(string key)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "/api/tags") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", key) } };
        using HttpResponseMessage response = await console.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return response.StatusCode;
    }
}
