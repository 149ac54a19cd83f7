using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using OllamaMax.TestKit;

namespace OllamaMax.Cli.Tests;

/// <summary>Each command against a running system.</summary>
public sealed class CommandTests(LocalSystemFixture local)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Status_OfARunningSystem_NamesLeaderAndWorkers()
    {
        var (code, output, errors) = await UntilAliveAsync("status", output => output.Contains("workers  1 alive", StringComparison.Ordinal));

        (code, errors).ShouldBe((ExitCode.Done, ""));
        output.ShouldContain("leader   this edge, epoch ");
        output.ShouldNotContain('\u001b');
    }

    [Fact]
    public async Task Json_OfAList_IsTheApisAnswer()
    {
        var (code, output, _) = await UntilAliveAsync("worker list --json", output => JsonElement.Parse(output).Items("workers").Single().Text("state") == "alive");

        code.ShouldBe(ExitCode.Done);
        JsonElement.Parse(output).Items("workers").Single().Text("name").ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public async Task Drain_ByName_IsShownAndTakenBack()
    {
        JsonElement worker = JsonElement.Parse((await local.RunAsync("worker", "list", "--json")).Output).Items("workers").Single();
        string name = worker.Shown("name");

        (int code, string drained, _) = await local.RunAsync("worker", "drain", name);
        (int back, string undrained, _) = await local.RunAsync("worker", "undrain", worker.Shown("id"));

        (code, back).ShouldBe((ExitCode.Done, ExitCode.Done));
        drained.ShouldContain(" draining ");
        undrained.ShouldContain(" alive ");
    }

    [Fact]
    public async Task Drain_UnknownWorker_IsNotThere()
    {
        var (code, output, errors) = await local.RunAsync("worker", "drain", "nobody");

        (code, output).ShouldBe((ExitCode.NotFound, ""));
        errors.ShouldStartWith("error: there is no worker 'nobody'");
    }

    [Theory]
    [InlineData]
    [InlineData("--detach")]
    public async Task Pull_FromAnAddress_AsksForThatAddress(params string[] options)
    {
        var (code, output, errors) = await local.RunAsync(["models", "pull", "mine", "--from", "ftp://localhost/model.gguf", .. options]);

        (code, output).ShouldBe((ExitCode.Failed, ""));
        errors.ShouldContain("from must be an https URL");
    }

    [Fact]
    public async Task Revoke_WorkerInNoList_IsLeftToTheEdgeToFind()
    {
        var (code, output, errors) = await local.RunAsync("worker", "revoke", "nobody/else");

        (code, output).ShouldBe((ExitCode.NotFound, ""));
        errors.ShouldStartWith("error: worker 'nobody");
    }

    [Fact]
    public async Task Pull_Detached_GoesOnWithoutItsClientAndTellsHowItEnded()
    {
        var (code, output, errors) = await local.RunAsync("models", "pull", "localhost:9/some/model", "--detach");
        string id = output.Trim();
        JsonElement transfer;
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        while ((transfer = await TransferAsync(id)).Text("state") == "running")
            await timer.WaitForNextTickAsync(Cancellation);
        var (cancelled, _, _) = await local.RunAsync("models", "cancel", id);

        (code, errors, cancelled).ShouldBe((ExitCode.Done, "", ExitCode.NotFound));
        (transfer.Text("model"), transfer.Text("state")).ShouldBe(("localhost:9/some/model:latest", "failed"));
        transfer.Text("error").ShouldBe("pull model manifest: localhost is not asked: it has no public address, and the server's options do not name it");
    }

    [Fact]
    public async Task Run_Prompt_PrintsTheAnswerAlone()
    {
        var (code, output, errors) = await local.RunAsync("run", "demo", "What is OllamaMax?", "--temperature", "0", "--verbose");

        code.ShouldBe(ExitCode.Done);
        output.ShouldContain("OllamaMax");
        output.ShouldNotContain("tokens in");
        errors.ShouldContain("tokens in");
    }

    [Fact]
    public async Task Run_PromptFromStandardInput_IsAsked()
    {
        var (code, output, _) = await Tool.RunAsync("What is OllamaMax?\n", "run", "demo", "--temperature", "0", "--edge", local.System.BaseAddress.ToString());

        code.ShouldBe(ExitCode.Done);
        output.ShouldContain("OllamaMax");
    }

    [Fact]
    public async Task Run_UnknownModel_IsNotThere()
    {
        var (code, _, errors) = await local.RunAsync("run", "nothing-of-this-name", "hi");

        code.ShouldBe(ExitCode.NotFound);
        errors.ShouldContain("nothing-of-this-name");
    }

    [Fact]
    public async Task Models_CopiedAndRemoved_AreListedMeanwhile()
    {
        (await local.RunAsync("models", "copy", "demo", "a-copy")).Code.ShouldBe(ExitCode.Done);
        (await local.RunAsync("models", "list")).Output.ShouldContain("a-copy:latest");

        (await local.RunAsync("models", "rm", "a-copy")).Code.ShouldBe(ExitCode.Done);

        (await local.RunAsync("models", "list")).Output.ShouldNotContain("a-copy");
    }

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
            if (keys.Count == 1)
            {
                context.Abort();
                return;
            }
            context.Response.StatusCode = keys.Count == 2 ? StatusCodes.Status409Conflict : StatusCodes.Status202Accepted;
            await context.Response.WriteAsync(keys.Count == 2 ? """{"error":"it is being taken on"}""" : """{"id":"the-job"}""", Cancellation);
        });

        var (code, output, _) = await Tool.RunAsync("", "jobs", "submit", "demo", "hi", "--edge", server.Urls.Single());

        (code, output.Trim()).ShouldBe((ExitCode.Done, "the-job"));
        keys.Count.ShouldBe(3);
        keys.Distinct().ShouldHaveSingleItem().ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public async Task Json_OfAnyLanguage_IsWrittenAsItIs()
    {
        await using WebApplication server = await PlayedEdge.StartAsync(context => context.Response.WriteAsync("""{"name":"B\u00e4r <|im_start|> \u0026"}""", Cancellation));

        (await Tool.RunAsync("", "jobs", "show", "1", "--edge", server.Urls.Single())).Output.ShouldContain("\"Bär <|im_start|> &\"");
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
    public async Task Keys_CreatedAndRevoked_AreListedWithoutSecret()
    {
        string key = (await local.RunAsync("keys", "create", "a laptop", "--role", "readonly", "--days", "1")).Output.Trim();
        string id = key.Split('_')[1];

        string list = (await local.RunAsync("keys", "list")).Output;
        list.ShouldContain("a laptop");
        list.ShouldNotContain(key.Split('_')[2]);
        string changed = (await local.RunAsync("keys", "change", id, "--name", "a desktop", "--model", "demo", "--tokens-per-day", "200000", "--concurrent", "2")).Output;
        changed.ShouldContain("a desktop");
        changed.ShouldContain("200000 tokens/day, 2 at a time");
        (await local.RunAsync("keys", "list")).Output.ShouldContain("200000 tokens/day, 2 at a time");
        JsonElement taken = JsonElement.Parse((await local.RunAsync("keys", "change", id, "--model", "*", "--concurrent", "none", "--days", "never", "--json")).Output);
        taken.TryGetProperty("models", out _).ShouldBeFalse();
        taken.TryGetProperty("expires_at", out _).ShouldBeFalse();
        taken.GetProperty("limits").EnumerateObject().ShouldHaveSingleItem().Name.ShouldBe("tokens_per_day");
        (await local.RunAsync("keys", "show", id)).Output.ShouldContain("a desktop");
        (await local.RunAsync("keys", "revoke", id)).Code.ShouldBe(ExitCode.Done);
        (await local.RunAsync("keys", "list")).Output.ShouldNotContain("a desktop");
        (await local.RunAsync("audit")).Output.ShouldContain(id);
        (await local.RunAsync("audit", "--newest", "--limit", "20")).Output.ShouldContain("DELETE /keys/{id}");
    }

    [Fact]
    public async Task Keys_CreateWithLimits_HasThem()
    {
        string id = (await local.RunAsync("keys", "create", "limited", "--requests-per-minute", "60", "--tokens-per-month", "9000000000")).Output.Split('_')[1];

        (await local.RunAsync("keys", "show", id)).Output.ShouldContain("60 requests/min, 9000000000 tokens/month");
    }

    [Theory]
    [InlineData("--tokens-per-day must be a whole number, or none", "--tokens-per-day", "-1")]
    [InlineData("--concurrent must be a whole number, or none", "--concurrent", "2.5")]
    [InlineData("--days must be a number above 0, or never", "--days", "soon")]
    [InlineData("nothing is named that is to change")]
    public async Task KeysChange_ArgumentThatCannotBe_IsSaidBeforeAnybodyIsAsked(string error, params string[] options)
    {
        var (code, _, errors) = await Tool.RunAsync("", ["--edge", "http://127.0.0.1:1", "keys", "change", "0123456789abcdef", .. options]);

        code.ShouldBe(ExitCode.Failed);
        errors.ShouldContain(error);
    }

    [Fact]
    public async Task Backup_IntoAFileAndBack_SaysWhatIsThere()
    {
        using TempFolder folder = new();
        string file = folder.File("cluster.jsonl");

        (await local.RunAsync("backup", file)).ShouldBe((ExitCode.Done, file + Environment.NewLine, ""));
        var (code, output, _) = await local.RunAsync("restore", file, "--overwrite");

        code.ShouldBe(ExitCode.Done);
        output.ShouldContain("models       ");
        File.Exists(file + ".part").ShouldBeFalse();
        await File.WriteAllTextAsync(file, "something else", Cancellation);
        (int refused, _, string errors) = await local.RunAsync("restore", file);
        refused.ShouldBe(ExitCode.Failed);
        errors.ShouldContain("no backup");
    }

    [Fact]
    public async Task Up_OutsideOfACheckout_SaysHowToGetOne()
    {
        using TempFolder folder = new();

        var (code, output, errors) = await Tool.RunAsync("", "up", "--checkout", Path.GetDirectoryName(folder.File("x"))!);

        (code, output).ShouldBe((ExitCode.Failed, ""));
        errors.ShouldContain("no checkout");
        errors.ShouldContain("git clone");
    }

    [Fact]
    public async Task WorkerJoin_WhereStorageListensHereAlone_HasTheTunnelInItsCommand()
    {
        var (code, output, errors) = await local.RunAsync("worker", "join");

        code.ShouldBe(ExitCode.Done);
        int port = local.System.BaseAddress.Port;
        output.ShouldStartWith($"ssh -fN -L {port}:127.0.0.1:{port} -L ");
        output.Split(" -L ").Length.ShouldBe(1 + "edge, blobs, queues, SignalR".Split(", ").Length);
        output.ShouldContain(" && OLLAMAMAX_JOIN_TOKEN=");
        errors.ShouldContain("tunnel");
    }

    [Fact]
    public async Task WorkerUpdate_OfAWorker_SaysWhatToDoOnItsBox()
    {
        var (code, output, _) = await local.RunAsync("worker", "update", "worker-1");

        code.ShouldBe(ExitCode.Done);
        output.ShouldContain("./install.sh update");
    }

    [Fact]
    public async Task Bench_AFewRequests_MeasuresThem()
    {
        var (code, output, errors) = await local.RunAsync("bench", "demo", "-n", "3", "-c", "2", "-t", "4", "--json");

        (code, errors).ShouldBe((ExitCode.Done, ""));
        JsonElement result = JsonElement.Parse(output);
        result.Number("requests").ShouldBe(3);
        result.Number("failed").ShouldBe(0);
        result.Number("tokens").ShouldNotBeNull().ShouldBeInRange(3, 12);
        result.Member("first_token_seconds").Number("p99").ShouldNotBeNull().ShouldBePositive();
    }

    [Fact]
    public async Task Bench_UnknownModel_CountsFailures()
    {
        var (code, output, _) = await local.RunAsync("bench", "nothing-of-this-name", "-n", "2", "--json");

        code.ShouldBe(ExitCode.Failed);
        JsonElement.Parse(output).Number("failed").ShouldBe(2);
    }

    [Fact]
    public async Task Cost_OfARunningSystem_CountsItsOperations()
    {
        JsonElement answer = JsonElement.Parse((await local.RunAsync("cost", "--json")).Output);

        foreach (string name in (string[])["storage_reads", "storage_writes", "storage_lists", "requests"])
            answer.Items("items").Single(item => item.Shown("name") == name).Number("count").ShouldNotBeNull().ShouldBeGreaterThan(0);
        answer.Items("not_counted").ShouldNotBeEmpty();
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

    [Fact]
    public async Task Top_IntoAPipe_LooksOnce()
    {
        var (code, output, _) = await local.RunAsync("top");

        code.ShouldBe(ExitCode.Done);
        output.ShouldContain("worker-1");
    }

    [Fact]
    public async Task Top_AsJson_IsBothAnswers()
    {
        JsonElement answer = JsonElement.Parse((await local.RunAsync("top", "--json")).Output);

        answer.Member("status").Member("leader").ValueKind.ShouldBe(JsonValueKind.Object);
        answer.Items("workers").Single().Text("name").ShouldBe("worker-1");
    }

    [Fact]
    public async Task Run_PromptThatBeginsWithAnAt_IsThatPrompt()
    {
        JsonElement asked = default;
        await using WebApplication server = await PlayedEdge.StartAsync(async context =>
        {
            using JsonDocument body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: Cancellation);
            asked = body.RootElement.Clone();
            await context.Response.WriteAsync("""{"message":{"content":"yes"},"done":true}""", Cancellation);
        });

        var (code, output) = await Tool.StartAsync(Tool.Program, [], "run", "demo", "@all", "of", "you", "--edge", server.Urls.Single());

        (code, output).ShouldBe((ExitCode.Done, "yes" + Environment.NewLine));
        asked.Items("messages").Single().Text("content").ShouldBe("@all of you");
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("powershell")]
    public async Task Completion_OfAShell_AsksTheTool(string shell) =>
        (await local.RunAsync("completion", shell)).Output.ShouldContain("[suggest:");

    /// <summary>What a tab makes of a line in a real bash. An option stands for what begins it; where no option is begun, files are left to the shell.</summary>
    [Theory]
    [InlineData("worker dr", "drain")]
    [InlineData("worker ", "list", "show", "join", "drain", "undrain", "update", "revoke")]
    [InlineData("models push --js", "--json")]
    [InlineData("models push ./fi")]
    [InlineData("models push ")]
    [InlineData("run demo xyz")]
    public async Task Completion_InBash_FillsUpWhatWasTyped(string line, params string[] words)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "There is a bash on Linux.");
        using TempFolder folder = new();
        string script = $$"""
            PATH={{AppContext.BaseDirectory}}:$PATH
            eval "$(ollamamax completion bash)"
            COMP_LINE='ollamamax {{line}}'; COMP_POINT=${#COMP_LINE}
            _ollamamax ollamamax '{{line.Split(' ')[^1]}}'
            printf '%s\n' "${COMPREPLY[@]}"
            """;
        await File.WriteAllTextAsync(folder.File("tab"), script, Cancellation);

        var (code, output) = await Tool.StartAsync("bash", [], folder.File("tab"));

        code.ShouldBe(0);
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldBe(words, ignoreOrder: true);
    }

    [Fact]
    public async Task Suggest_HalfACommand_CompletesIt()
    {
        (await Tool.RunAsync("", "[suggest:18]", "ollamamax worker dr")).Output.ShouldContain("drain");
        (await Tool.RunAsync("", "[suggest:33]", "ollamamax keys change ID --tokens")).Output.ShouldContain("--tokens-per-day");
        (await Tool.RunAsync("", "[suggest:42]", "ollamamax keys change ID --tokens-per-day ")).Output.ShouldContain("none");
    }

    [Theory]
    [InlineData("http://127.0.0.1:1", ExitCode.Unreachable, "cannot be reached")]
    [InlineData("ftp://somewhere", ExitCode.Failed, "is no http(s) URL")]
    public async Task Edge_CannotBeAsked_SaysSo(string edge, int expected, string says)
    {
        var (code, output, errors) = await Tool.RunAsync("", "status", "--edge", edge);

        (code, output).ShouldBe((expected, ""));
        errors.ShouldContain(says);
    }

    /// <summary>A worker that was drained and taken back says so only when it has heard of it.</summary>
    private async Task<(int Code, string Output, string Errors)> UntilAliveAsync(string command, Func<string, bool> isAlive)
    {
        while (true)
        {
            var result = await local.RunAsync(command.Split(' '));
            if (result.Code != ExitCode.Done || isAlive(result.Output))
                return result;
            Cancellation.ThrowIfCancellationRequested();
        }
    }

    private async Task<string> SubmitAsync(JsonObject job)
    {
        using Edge edge = new(local.System.BaseAddress, key: null);
        return (await edge.PostAsync("jobs", job, Cancellation)).Shown("id");
    }

    private async Task<JsonElement> TransferAsync(string id) =>
        JsonElement.Parse((await local.RunAsync("models", "transfers", "--json")).Output).Items("transfers").Single(one => one.Text("id") == id);
}
