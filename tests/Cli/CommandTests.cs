using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using OllamaMax.TestKit;

namespace OllamaMax.Cli.Tests;

/// <summary>Commands against a running system, one after the other with those of its other classes: some take the worker away.</summary>
[Collection("Commands")]
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

    [Theory]
    [InlineData("drain", "alive", "gone", "/cluster/workers/1/drain", ExitCode.Done)]
    [InlineData("drain", "gone", "draining", "/cluster/workers/2/drain", ExitCode.Done)]
    [InlineData("drain", "alive", "suspect", null, ExitCode.Failed)]
    [InlineData("drain", "gone", "gone", null, ExitCode.Failed)]
    [InlineData("revoke", "alive", "gone", null, ExitCode.Failed)]
    public async Task Worker_NameThatTwoHave_IsOfTheOneThatIsThereWhereThatCanBeTakenBack(string order, string first, string second, string? called, int code)
    {
        string? asked = null;
        await using WebApplication server = await PlayedEdge.StartAsync(context =>
        {
            if (context.Request.Method != HttpMethods.Get)
                asked = context.Request.Path;
            return context.Response.WriteAsync(
                $$"""{"workers":[{"id":"1","name":"box","state":"{{first}}"},{"id":"2","name":"box","state":"{{second}}"}]}""", Cancellation);
        });

        (await Tool.RunAsync("", "worker", order, "box", "--edge", server.Urls.Single())).Code.ShouldBe(code);

        asked.ShouldBe(called);
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
    public async Task Json_OfAnyLanguage_IsWrittenAsItIs()
    {
        await using WebApplication server = await PlayedEdge.StartAsync(context => context.Response.WriteAsync("""{"name":"B\u00e4r <|im_start|> \u0026"}""", Cancellation));

        (await Tool.RunAsync("", "jobs", "show", "1", "--edge", server.Urls.Single())).Output.ShouldContain("\"Bär <|im_start|> &\"");
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
    public async Task AnyCommand_EdgeWantsAKey_SaysWhereItGoes()
    {
        await using WebApplication server = await PlayedEdge.StartAsync(context =>
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return context.Response.WriteAsync("""{"error":"unauthorized: send a key"}""", Cancellation);
        });

        var (code, _, errors) = await Tool.RunAsync("", "status", "--edge", server.Urls.Single());

        (code, errors).ShouldBe((ExitCode.Denied, $"error: unauthorized: send a key{Environment.NewLine}the key goes into OLLAMAMAX_KEY, or --key{Environment.NewLine}"));
        (await Tool.RunAsync("", "status", "--edge", server.Urls.Single(), "--key", "x")).Errors.ShouldBe($"error: unauthorized: send a key{Environment.NewLine}");
    }

    [Fact]
    public async Task ModelsList_ModelOfAServer_HasNoTimeThatNobodyKnows()
    {
        await using WebApplication server = await PlayedEdge.StartAsync(context => context.Response.WriteAsync("""{"models":[{"name":"seeing:latest","modified_at":"1970-01-01T00:00:00Z"}]}""", Cancellation));

        (await Tool.RunAsync("", "models", "list", "--edge", server.Urls.Single())).Output.ShouldNotContain("1970");
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

    private async Task<JsonElement> TransferAsync(string id) =>
        JsonElement.Parse((await local.RunAsync("models", "transfers", "--json")).Output).Items("transfers").Single(one => one.Text("id") == id);
}
