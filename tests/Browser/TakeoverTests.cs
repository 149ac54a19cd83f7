using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Playwright;
using OllamaMax.TestKit;

namespace OllamaMax.Browser.Tests;

[Collection(nameof(OneSystem))]
public sealed class TakeoverTests(ConsoleFixture console)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Worker_KilledInMidAnswer_LeavesAMarkWhereAnotherWentOn()
    {
        await using ConsolePage page = await console.OpenAsync("chat");
        await page.AskAsync(ConsoleFixture.Endless, "Go on");
        ILocator reply = page.Replies.Last;
        await Assertions.Expect(reply.Locator(".markdown")).Not.ToBeEmptyAsync();
        (int index, string name) = await RunningWorkerAsync();

        LocalSystem.Kill(console.System.WorkerPids[index]);

        await Assertions.Expect(reply.Locator("mark.takeover")).ToHaveTextAsync($"⇄ taken over from {name}");
        // Text stands on both sides of it: another worker goes on.
        string before = (await TextAroundAsync(reply))[0];
        before.ShouldNotBeEmpty();
        while ((await TextAroundAsync(reply))[1].Length == 0)
            await page.Page.EvaluateAsync("new Promise(requestAnimationFrame)").WaitAsync(Cancellation);
        (await TextAroundAsync(reply))[0].ShouldBe(before);
        await page.Button("Stop").ClickAsync();
        await Assertions.Expect(reply.Locator(".figures")).ToContainTextAsync("taken over once");
        page.ShouldBeUntroubled();
    }

    /// <summary>What stands before the mark, and after it; white space aside.</summary>
    private static async Task<string[]> TextAroundAsync(ILocator reply) =>
        [.. (await reply.Locator(".markdown").TextContentAsync())!.Split("⇄ taken over from ")
            .Select((part, at) => new string([.. (at == 0 ? part : part["worker-1".Length..]).Where(c => !char.IsWhiteSpace(c))]))];

    private async Task<(int Index, string Name)> RunningWorkerAsync()
    {
        JsonElement jobs = await console.Client.GetFromJsonAsync<JsonElement>("/jobs?status=running", Cancellation);
        string? id = jobs.GetProperty("jobs").EnumerateArray().Single().GetProperty("id").GetString();
        JsonElement job = await console.Client.GetFromJsonAsync<JsonElement>($"/jobs/{id}", Cancellation);
        string? worker = job.GetProperty("worker_id").GetString();
        JsonElement workers = await console.Client.GetFromJsonAsync<JsonElement>("/cluster/workers", Cancellation);
        string name = workers.GetProperty("workers").EnumerateArray().Single(one => one.GetProperty("id").GetString() == worker).GetProperty("name").GetString()!;
        return (int.Parse(name.AsSpan("worker-".Length), CultureInfo.InvariantCulture) - 1, name);
    }
}
