using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.Playwright;

namespace OllamaMax.Browser.Tests;

[Collection(nameof(OneSystem))]
public sealed class JobsTests(ConsoleFixture console)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Batch_Uploaded_IsWatchedAndItsResultsAreDownloaded()
    {
        await using ConsolePage page = await console.OpenAsync("jobs");
        await page.Page.GetByRole(AriaRole.Tab, new() { Name = "Batches" }).ClickAsync();
        string[] lines = [.. Enumerable.Range(1, 3).Select(index =>
            $$$"""{"custom_id":"line-{{{index}}}","method":"POST","url":"/v1/chat/completions","body":{"model":"demo","messages":[{"role":"user","content":"What is OllamaMax?"}]}}""")];

        await page.Main.Locator("input[type=file]").SetInputFilesAsync(new FilePayload
        {
            Name = "questions.jsonl", MimeType = "application/jsonl", Buffer = Encoding.UTF8.GetBytes(string.Join('\n', lines)),
        });
        await Assertions.Expect(page.Main.GetByText("3 of 3")).ToBeVisibleAsync();
        IDownload download = await page.Page.RunAndWaitForDownloadAsync(() => page.Button("Results").ClickAsync());

        string[] answers = await File.ReadAllLinesAsync(await download.PathAsync(), Cancellation);
        answers.Select(line => JsonElement.Parse(line).GetProperty("custom_id").GetString()).ShouldBe(["line-1", "line-2", "line-3"], ignoreOrder: true);
        page.ShouldBeUntroubled();
    }

    [Fact]
    public async Task Job_Opened_ShowsWhatHappenedAndIsCancelled()
    {
        using HttpResponseMessage response = await console.Client.PostAsJsonAsync("/jobs", new { model = ConsoleFixture.Endless, prompt = "Go on" }, Cancellation);
        string id = (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("id").GetString()!;
        await using ConsolePage page = await console.OpenAsync("jobs");

        await page.Button(id).ClickAsync();
        ILocator drawer = page.Dialog($"Job {id}");
        await Assertions.Expect(drawer).ToContainTextAsync("Attempt 1 runs");
        await drawer.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();

        await Assertions.Expect(drawer).ToContainTextAsync("Ended: cancelled");
        page.ShouldBeUntroubled();
    }
}
