using System.Net.Http.Json;
using System.Text.Json;
using OllamaMax.TestKit;

namespace OllamaMax.EndToEnd.Tests;

/// <summary>One system, started as a user does, with nothing there before.</summary>
[Collection(nameof(OneSystem))]
public sealed class ChatTests(LocalSystemFixture local)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Chat_AfterAFreshStart_AnswersReadably()
    {
        local.System.Output.Lines.ShouldContain($"ready {local.System.BaseAddress.GetLeftPart(UriPartial.Authority)}");

        string answer = await local.Client.ChatAsync("What are you?");

        answer.ShouldContain("OllamaMax");
        answer.Split(' ').Length.ShouldBeGreaterThan(5);
        answer.ShouldAllBe(c => !char.IsControl(c) && c != '\uFFFD');
    }

    [Fact]
    public async Task AnyAnswer_RequestId_StandsInTheWorkersLog()
    {
        int from = local.System.Output.Lines.Count;
        using HttpResponseMessage response = await local.Client.PostAsJsonAsync(
            "/api/generate", new { model = "demo", prompt = "Hello", stream = false }, Cancellation);

        string id = response.Headers.GetValues("x-request-id").ShouldHaveSingleItem();
        await local.System.Output.WaitForAsync(
            line => line.StartsWith("worker-1: ", StringComparison.Ordinal) && line.Contains($"Request {id}: ", StringComparison.Ordinal), Cancellation, from);
    }

    [Fact]
    public async Task Client_LeavesMidStream_ItsSlotIsFree()
    {
        await local.Client.MetricShouldBecomeAsync("ollamamax_slots_used", 0);
        string id = $"leaving-{Guid.NewGuid():N}";
        Stream stream = await local.Client.BeginEndlessAsync(id);
        await local.Client.MetricShouldBecomeAsync("ollamamax_slots_used", 1);
        (await UsedAsync()).ShouldBe(1);

        await stream.DisposeAsync();

        await local.System.Output.WaitForAsync(
            line => line.Contains($"Request {id}: ", StringComparison.Ordinal) && line.EndsWith("ended by Cancelled", StringComparison.Ordinal), Cancellation);
        await local.Client.MetricShouldBecomeAsync("ollamamax_slots_used", 0);
        (await UsedAsync()).ShouldBe(0);
        await local.Client.MetricShouldBecomeAsync("ollamamax_jobs_running", 0);
    }

    [Fact]
    public async Task Workers_WhileServing_NamePidAndSlots()
    {
        JsonElement worker = (await local.Client.WorkersAsync()).EnumerateArray().ShouldHaveSingleItem();

        worker.GetProperty("pid").GetInt32().ShouldBe(local.System.WorkerPids.Single());
        worker.GetProperty("state").GetString().ShouldBe("alive");
        worker.GetProperty("slots").GetProperty("total").GetInt32().ShouldBeGreaterThan(1);
        worker.GetProperty("models").EnumerateArray().ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Worker_ItsEnvironmentAndCommandLine_HoldNoAccountKey()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "They are read in /proc.");
        int pid = local.System.WorkerPids.Single();

        foreach (string file in (string[])["environ", "cmdline"])
        {
            string text = await File.ReadAllTextAsync($"/proc/{pid}/{file}", Cancellation);
            text.ShouldNotBeEmpty();
            foreach (string secret in (string[])["AccountKey", "AccessKey", "AzureWebJobsStorage", "AzureSignalRConnectionString", "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq"])
                text.ShouldNotContain(secret, Case.Insensitive, $"{file} of the worker");
        }
    }

    private async Task<int> UsedAsync() =>
        (await local.Client.WorkersAsync()).EnumerateArray().Single().GetProperty("slots").GetProperty("used").GetInt32();
}
