using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using OllamaMax.TestKit;

namespace OllamaMax.Cli.Tests;

/// <summary>Background jobs and batches, against a running system and edges that fail.</summary>
[Collection("Commands")]
public sealed class JobCommandTests(LocalSystemFixture local)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Jobs_SubmittedAndFollowed_GiveTheirText()
    {
        string id = (await local.RunAsync("jobs", "submit", "demo", "What is OllamaMax?")).Output.Trim();

        (await local.RunAsync("jobs", "follow", id)).Output.ShouldContain("OllamaMax");
        (await local.RunAsync("jobs", "list", "--status", "completed")).Output.ShouldContain(id);
        string line = (await local.RunAsync("jobs", "list", "--all")).Output.Split('\n').Single(line => line.StartsWith(id, StringComparison.Ordinal));
        JsonElement job = JsonElement.Parse((await local.RunAsync("jobs", "show", id)).Output);
        foreach (string shown in (string[])["local", job.Shown("worker_id"), job.ShownTime("ended_at")])
            line.ShouldContain(shown);
        (await local.RunAsync("jobs", "cancel", id)).Code.ShouldBe(ExitCode.Done);
        (await local.RunAsync("jobs", "show", id)).Code.ShouldBe(ExitCode.NotFound);
    }

    [Fact]
    public async Task Jobs_MoreThanAPage_ComeInPagesFromTheNewestOn()
    {
        List<string> ids = [];
        for (int count = 0; count < 2; count++)
            ids.Add((await local.RunAsync("jobs", "submit", "demo", "hi")).Output.Trim());
        ids.Add(await SubmitAsync(new() { ["strategy"] = "n", ["n"] = 2, ["model"] = "demo", ["prompt"] = "hi" }));
        using Edge edge = new(local.System.BaseAddress, key: null);

        var (_, output, errors) = await local.RunAsync("jobs", "list", "--limit", "1");
        JsonElement older = await edge.GetAsync($"jobs?limit=1&before={ids[1]}", Cancellation);
        JsonElement last = await edge.GetAsync($"jobs?before={ids[0]}", Cancellation);
        JsonElement all = JsonElement.Parse((await local.RunAsync("jobs", "list", "--limit", "0", "--json")).Output);

        output.TrimEnd().Split('\n').Length.ShouldBe(2);
        errors.ShouldContain("there are more");
        older.Items("jobs").Single().Shown("id").ShouldBe(ids[0]);
        last.Items("jobs").Select(job => job.Shown("id")).ShouldNotContain(id => ids.Contains(id));
        all.Items("jobs").Select(job => job.Shown("id")).Intersect(ids).ShouldBe(Enumerable.Reverse(ids));
        (last.Is("has_more"), all.Is("has_more")).ShouldBe((false, false));
    }

    [Fact]
    public async Task Submit_AnswerLost_IsSentAgainUnderTheSameKey()
    {
        List<string?> keys = [];
        await using WebApplication server = await PlayedEdge.StartAsync(async context =>
        {
            keys.Add(context.Request.Headers["Idempotency-Key"]);
            // Storage may have taken what it is asked about too late.
            (int status, string body) = keys.Count switch
            {
                1 => (StatusCodes.Status503ServiceUnavailable, """{"error":"storage does not answer"}"""),
                3 => (StatusCodes.Status409Conflict, """{"error":"it is being taken on"}"""),
                _ => (StatusCodes.Status202Accepted, """{"id":"the-job"}"""),
            };
            if (keys.Count == 2)
            {
                context.Abort();
                return;
            }
            context.Response.StatusCode = status;
            await context.Response.WriteAsync(body, Cancellation);
        });

        var (code, output, _) = await Tool.RunAsync("", "jobs", "submit", "demo", "hi", "--edge", server.Urls.Single());

        (code, output.Trim()).ShouldBe((ExitCode.Done, "the-job"));
        keys.Count.ShouldBe(4);
        keys.Distinct().ShouldHaveSingleItem().ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public async Task Jobs_FollowedWithAStrategy_GiveTheBranchesTextsApart()
    {
        string choices = await SubmitAsync(new() { ["strategy"] = "n", ["n"] = 2, ["model"] = "demo", ["prompt"] = "What is OllamaMax?", ["options"] = new JsonObject { ["temperature"] = 0 } });
        string race = await SubmitAsync(new() { ["strategy"] = "race", ["models"] = new JsonArray("demo", LocalSystemFixture.Endless), ["prompt"] = "What is OllamaMax?" });

        var (code, output, errors) = await local.RunAsync("jobs", "follow", choices);
        var (raced, racers, noErrors) = await local.RunAsync("jobs", "follow", race);

        (code, errors, raced, noErrors).ShouldBe((ExitCode.Done, "", ExitCode.Done, ""));
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (int branch in (int[])[0, 1])
            lines[Array.IndexOf(lines, $"=== branch {branch} (choice, demo): completed") + 1].ShouldStartWith("OllamaMax");
        racers.ShouldContain("): completed");
        racers.ShouldContain("): cancelled");
    }

    [Fact]
    public async Task Batch_WithABrokenLine_GivesTheOthersAnswersAndFails()
    {
        using TempFolder folder = new();
        string file = folder.File("lines.jsonl");
        string[] lines = [.. Enumerable.Range(0, 3).Select(index => $$$"""{"custom_id":"{{{index}}}","method":"POST","url":"/v1/chat/completions","body":{"model":"demo","max_tokens":3,"messages":[{"role":"user","content":"hi"}]}}"""), "no JSON"];
        await File.WriteAllLinesAsync(file, lines, Cancellation);

        var (code, output, errors) = await local.RunAsync("batch", "run", file);

        code.ShouldBe(ExitCode.Failed);
        string[] files = output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        files.ShouldBe([folder.File("lines.results.jsonl"), folder.File("lines.results.errors.jsonl")]);
        (await File.ReadAllLinesAsync(files[0], Cancellation)).Select(line => JsonElement.Parse(line).Text("custom_id")).Order().ShouldBe(["0", "1", "2"]);
        (await File.ReadAllLinesAsync(files[1], Cancellation)).Length.ShouldBe(1);
        string id = errors.Split(':')[0]["batch ".Length..];
        (await local.RunAsync("batch", "wait", id, "-o", folder.File("again.jsonl"))).Code.ShouldBe(ExitCode.Failed);
        (await File.ReadAllTextAsync(folder.File("again.jsonl"), Cancellation)).ShouldBe(await File.ReadAllTextAsync(files[0], Cancellation));
    }

    [Fact]
    public async Task Batch_EdgeIsAwayAndBusyMeanwhile_IsWaitedFor()
    {
        using TempFolder folder = new();
        int looks = 0;
        await using WebApplication server = await PlayedEdge.StartAsync(context => context.Request.Path.Value switch
        {
            "/v1/files/answers/content" => context.Response.WriteAsync("an answer", Cancellation),
            _ when ++looks == 1 => Refuse(context),
            _ when looks == 2 => BreakOff(context),
            _ => context.Response.WriteAsJsonAsync(new { status = "completed", output_file_id = "answers", request_counts = new { total = 1, completed = 1, failed = 0 } }, Cancellation),
        });

        var (code, output, _) = await Tool.RunAsync("", "batch", "wait", "batch_1", "-o", folder.File("answers.jsonl"), "--edge", server.Urls.Single());

        (code, output, looks).ShouldBe((ExitCode.Done, folder.File("answers.jsonl") + Environment.NewLine, 3));
        (await File.ReadAllTextAsync(folder.File("answers.jsonl"), Cancellation)).ShouldBe("an answer");

        static Task Refuse(HttpContext context)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return context.Response.WriteAsJsonAsync(new { error = new { message = "full" } }, Cancellation);
        }

        static async Task BreakOff(HttpContext context)
        {
            await context.Response.WriteAsync("{", Cancellation);
            await context.Response.Body.FlushAsync(Cancellation);
            context.Abort();
        }
    }

    private async Task<string> SubmitAsync(JsonObject job)
    {
        using Edge edge = new(local.System.BaseAddress, key: null);
        return (await edge.PostAsync("jobs", job, Cancellation)).Shown("id");
    }
}
