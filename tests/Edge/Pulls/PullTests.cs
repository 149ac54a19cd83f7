using System.IO.Pipelines;
using System.Net;
using System.Text.Json;
using Azure.Storage.Blobs;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Models;
using OllamaMax.Storage.Models;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Edge.Tests.Pulls;

public sealed class PullTests(AzuriteFixture azurite)
{
    private const string Success = """{"status":"success"}""";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pull_RegistryWithTokensAndRedirects_LinesAsOllamasAndTheModelIsThere()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        byte[] weights = PullServer.UniqueModel();
        string name = PullServer.UniqueName();
        string digest = server.Registry.Add(weights);
        server.Registry.AddManifest(
            $"library/{name}/latest",
            (ModelLayer.Model, digest, weights.Length),
            server.Registry.Layer(ModelLayer.Template, "{{ .Prompt }}"),
            server.Registry.Layer(ModelLayer.System, "Be brief."),
            server.Registry.Layer(ModelLayer.Params, """{"stop":["</s>"],"temperature":0.5,"unknown":1}"""),
            server.Registry.Layer(ModelLayer.Messages, """[{"role":"user","content":"Hi"}]"""),
            server.Registry.Layer(ModelLayer.License, "MIT"));

        string[] lines = await server.LinesAsync(new { model = name });

        lines[0].ShouldBe("""{"status":"pulling manifest"}""");
        lines[1].ShouldBe($$"""{"status":"pulling {{digest[7..19]}}","digest":"{{digest}}","total":{{weights.Length}},"completed":0}""");
        lines[^4].ShouldBe($$"""{"status":"pulling {{digest[7..19]}}","digest":"{{digest}}","total":{{weights.Length}},"completed":{{weights.Length}}}""");
        lines[^3..].ShouldBe(["""{"status":"verifying sha256 digest"}""", """{"status":"writing manifest"}""", Success]);
        ModelView model = (await server.Catalog.FindAsync(ModelName.Parse(name), Cancel))!;
        model.Weights.ShouldBe(digest);
        model.Modelfile.System.ShouldBe("Be brief.");
        model.Modelfile.Template.ShouldBeNull();
        model.Template.ShouldNotBeNull().ShouldNotContain(".Prompt");
        model.Modelfile.Parameters.Temperature.ShouldBe(0.5f);
        model.Modelfile.Parameters.Stop.ShouldBe(["</s>"]);
        model.Modelfile.Messages.ShouldBe([new("user", "Hi")]);
        model.Modelfile.License.ShouldBe(["MIT"]);
        server.Registry.Tokens.ShouldNotContain(true);
    }

    [Fact]
    public async Task Pull_ModelWithAnAdapter_HasItInTheWeights()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        using TempFolder folder = new();
        GgufSpec spec = new() { Name = name };
        GgufGenerator.Write(folder.File("model.gguf"), spec);
        GgufGenerator.WriteAdapter(folder.File("adapter.gguf"), spec);
        (byte[] weights, byte[] adapter) = (await File.ReadAllBytesAsync(folder.File("model.gguf"), Cancel), await File.ReadAllBytesAsync(folder.File("adapter.gguf"), Cancel));
        (string digest, string added) = (server.Registry.Add(weights), server.Registry.Add(adapter));
        server.Registry.AddManifest($"library/{name}/latest", (ModelLayer.Model, digest, weights.Length), (ModelLayer.Adapter, added, adapter.Length));

        string[] lines = await server.LinesAsync(new { model = name });

        lines[^3..].ShouldBe(["""{"status":"adding adapter"}""", """{"status":"writing manifest"}""", Success]);
        ModelView model = (await server.Catalog.FindAsync(ModelName.Parse(name), Cancel))!;
        (model.Weights, model.Adapters.Single()).ShouldBe((ModelDigest.Of([.. weights, .. adapter]), added));
    }

    [Fact]
    public async Task Pull_WhatIsThere_FetchesNoWeights()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        server.Registry.AddModel($"org/{name}/Q4_K_M", PullServer.UniqueModel());
        string[] first = await server.LinesAsync(new { model = $"hf.co/org/{name}:Q4_K_M" });

        string[] second = await server.LinesAsync(new { model = $"hf.co/org/{name}:Q4_K_M" });

        first[^1].ShouldBe(Success);
        second[^1].ShouldBe(Success);
        server.Registry.Ranges.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Pull_ConnectionCut_GoesOnWhereItWas()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        byte[] weights = PullServer.UniqueModel();
        TaskCompletionSource cut = new();
        server.Registry.AddModel($"library/{name}/latest", weights);
        server.Registry.Faults.Enqueue((context, content) => SendPartAsync(context, content, cut.Task));

        using HttpResponseMessage response = await server.PullAsync(new { model = name });
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync(Cancel));
        await ReadUntilAsync(lines, "\"completed\":", atLeast: 1 << 20);
        cut.SetResult();
        await server.Edge.Time.WaitForTimerAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        server.Edge.Time.Advance(TimeSpan.FromSeconds(1));

        (await lines.ReadToEndAsync(Cancel)).ShouldEndWith(Success + "\n");
        server.Registry.Ranges.Count.ShouldBe(2);
        RangeStart(server.Registry.Ranges.Last()).ShouldBeInRange(1 << 20, 2 << 20);
    }

    [Fact]
    public async Task Pull_StorageIsAwayInBetween_GoesOnWithoutFetchingAgain()
    {
        int port = new BlobServiceClient(azurite.ConnectionString).Uri.Port;
        await using TcpRelay relay = new(port);
        BlobServiceClient storage = new(
            azurite.ConnectionString.Replace($":{port}/", $":{relay.Port}/", StringComparison.Ordinal), new BlobClientOptions { Retry = { MaxRetries = 0 } });
        await using PullServer server = await PullServer.StartAsync(azurite, storage: storage);
        string name = PullServer.UniqueName();
        TaskCompletionSource go = new();
        server.Registry.AddModel($"library/{name}/latest", PullServer.UniqueModel());
        server.Registry.Faults.Enqueue(async (context, content) =>
        {
            context.Response.ContentLength = content.Length;
            await context.Response.Body.WriteAsync(content.AsMemory(0, 2 << 20));
            await context.Response.Body.FlushAsync();
            await go.Task.WaitAsync(context.RequestAborted);
            await context.Response.Body.WriteAsync(content.AsMemory(2 << 20));
        });

        using HttpResponseMessage response = await server.PullAsync(new { model = name });
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync(Cancel));
        await ReadUntilAsync(lines, "\"completed\":", atLeast: 1 << 20);
        relay.CutOff(_ => true);
        go.SetResult();
        foreach (double seconds in (double[])[0.5, 1, 2, 4, 8, 16])
        {
            await server.Edge.Time.WaitForTimerAsync(TimeSpan.FromSeconds(seconds), TestContext.Current.CancellationToken);
            if (seconds == 16)
                relay.CutOff(_ => false);
            server.Edge.Time.Advance(TimeSpan.FromSeconds(seconds));
        }

        (await lines.ReadToEndAsync(Cancel)).ShouldEndWith(Success + "\n");
        server.Registry.Ranges.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Pull_TooManyRequests_WaitsAsLongAsItIsAsked()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        server.Registry.AddModel($"library/{name}/latest", PullServer.UniqueModel());
        server.Registry.Faults.Enqueue((context, _) =>
        {
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            context.Response.Headers.RetryAfter = "7";
            return Task.CompletedTask;
        });

        Task<string[]> pull = server.LinesAsync(new { model = name });
        await server.Edge.Time.WaitForTimerAsync(TimeSpan.FromSeconds(7), TestContext.Current.CancellationToken);
        server.Edge.Time.Advance(TimeSpan.FromSeconds(7));

        (await pull)[^1].ShouldBe(Success);
    }

    [Fact]
    public async Task Pull_ClientLeaves_EndsAndTheNextGoesOnWhereItWas()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        TaskCompletionSource never = new();
        TaskCompletionSource left = new();
        server.Registry.AddModel($"library/{name}/latest", PullServer.UniqueModel());
        server.Registry.Faults.Enqueue(async (context, content) =>
        {
            context.RequestAborted.Register(left.SetResult);
            await SendPartAsync(context, content, never.Task);
        });

        using (HttpResponseMessage first = await server.PullAsync(new { model = name }))
        {
            using StreamReader lines = new(await first.Content.ReadAsStreamAsync(Cancel));
            await ReadUntilAsync(lines, "\"completed\":", atLeast: 1 << 20);
        }
        await left.Task.WaitAsync(Cancel);
        Task<string[]> second = server.LinesAsync(new { model = name });
        while (!second.IsCompleted)
        {
            // The first may hold what it fetched a moment longer: the second looks again each second.
            server.Edge.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(second, server.Edge.Time.WaitForTimerAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken));
        }

        (await second)[^1].ShouldBe(Success);
        RangeStart(server.Registry.Ranges.Last()).ShouldBeInRange(1 << 20, 2 << 20);
        never.SetResult();
    }

    [Fact]
    public async Task Pull_TwoAtOnce_ShareOneThatIsListedAndCanBeCancelled()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        TaskCompletionSource go = new();
        server.Registry.AddModel($"library/{name}/latest", PullServer.UniqueModel());
        server.Registry.Faults.Enqueue((context, content) => SendPartAsync(context, content, go.Task));
        using HttpResponseMessage first = await server.PullAsync(new { model = name });
        using HttpResponseMessage second = await server.PullAsync(new { model = name.ToUpperInvariant() });
        using StreamReader lines = new(await second.Content.ReadAsStreamAsync(Cancel));
        await ReadUntilAsync(lines, "\"completed\":", atLeast: 1 << 20);

        string list = await server.Edge.Client.GetStringAsync("/cluster/transfers", Cancel);
        string id = JsonDocument.Parse(list).RootElement.GetProperty("transfers")[0].GetProperty("id").GetString()!;
        string one = await server.Edge.Client.GetStringAsync($"/cluster/transfers/{id}", Cancel);
        using HttpResponseMessage deleted = await server.Edge.SendAsync(HttpMethod.Delete, $"/cluster/transfers/{id}");
        using HttpResponseMessage unknown = await server.Edge.SendAsync(HttpMethod.Delete, "/cluster/transfers/other");

        list.ShouldStartWith($$"""{"transfers":[{"id":"{{id}}","model":"{{name}}:latest",""");
        one.ShouldStartWith($$"""{"id":"{{id}}","model":"{{name}}:latest","kind":"pull","state":"running","completed":""");
        deleted.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await unknown.ErrorAsync(HttpStatusCode.NotFound)).ShouldBe("no transfer 'other' runs at this edge");
        (await first.LinesAsync())[^1].ShouldBe("""{"error":"the pull was cancelled; the next one goes on where it was"}""");
        (await lines.ReadToEndAsync(Cancel)).ShouldEndWith("""{"error":"the pull was cancelled; the next one goes on where it was"}""" + "\n");
        server.Registry.Ranges.ShouldHaveSingleItem();
        go.SetResult();
    }

    [Fact]
    public async Task Pull_AnotherEdgeFetchesIt_ShowsItsProgressAndFetchesNothing()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        byte[] weights = PullServer.UniqueModel();
        string digest = server.Registry.AddModel($"library/{name}/latest", weights);
        StagedBlob other = (await server.OtherEdge.TryTakeAsync(ModelDigest.FileName(digest), Cancel))!;
        await other.AppendAsync(weights.AsMemory(0, 1 << 20), Cancel);

        using HttpResponseMessage response = await server.PullAsync(new { model = name });
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync(Cancel));
        await ReadUntilAsync(lines, "\"completed\":", atLeast: 1 << 20);
        await server.Blobs.UploadAsync(digest, PipeReader.Create(new MemoryStream(weights)), Cancel);
        await other.DeleteAsync(Cancel);
        await other.DisposeAsync();
        await server.Edge.Time.WaitForTimerAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        server.Edge.Time.Advance(TimeSpan.FromSeconds(1));

        (await lines.ReadToEndAsync(Cancel)).ShouldEndWith(Success + "\n");
        server.Registry.Ranges.ShouldBeEmpty();
    }

    [Fact]
    public async Task Pull_OtherContentThanItsDigest_NeverBecomesVisibleAndIsFetchedAnew()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        byte[] weights = PullServer.UniqueModel();
        string digest = server.Registry.AddModel($"library/{name}/latest", weights);
        byte[] flipped = [.. weights];
        flipped[^1] ^= 1;
        server.Registry.Replace(digest, flipped);

        string[] wrong = await server.LinesAsync(new { model = name });
        long? visible = await server.Blobs.FindAsync(digest, Cancel);
        server.Registry.Replace(digest, weights);
        string[] right = await server.LinesAsync(new { model = name });

        wrong[^1].ShouldStartWith("""{"error":"digest mismatch, expected """);
        visible.ShouldBeNull();
        right[^1].ShouldBe(Success);
        server.Registry.Ranges.ShouldBe(["", ""]);
    }

    [Fact]
    public async Task Pull_SourceLiesAboutItsLength_SaysSo()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        byte[] weights = PullServer.UniqueModel();
        server.Registry.AddManifest($"library/{name}/latest", (ModelLayer.Model, server.Registry.Add(weights), weights.Length + 1));

        string[] lines = await server.LinesAsync(new { model = name });

        lines[^1].ShouldBe($$"""{"error":"127.0.0.1 has a file of {{weights.Length}} bytes where its manifest says {{weights.Length + 1}}"}""");
    }

    [Fact]
    public async Task Pull_UnknownModel_ErrorAsOllamas()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);

        string[] lines = await server.LinesAsync(new { model = "nobody" });
        using HttpResponseMessage whole = await server.PullAsync(new { model = "nobody", stream = false });

        lines.ShouldBe(["""{"status":"pulling manifest"}""", """{"error":"pull model manifest: file does not exist"}"""]);
        (await whole.ErrorAsync(HttpStatusCode.InternalServerError)).ShouldBe("pull model manifest: file does not exist");
    }

    [Fact]
    public async Task Pull_SourceThatFailsAgainAndAgain_GivesUp()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        server.Registry.AddModel($"library/{name}/latest", PullServer.UniqueModel());
        for (int i = 0; i < 6; i++)
        {
            server.Registry.Faults.Enqueue((context, _) =>
            {
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                return Task.CompletedTask;
            });
        }

        Task<string[]> pull = server.LinesAsync(new { model = name });
        foreach (int seconds in (int[])[1, 2, 4, 8, 16])
        {
            await server.Edge.Time.WaitForTimerAsync(TimeSpan.FromSeconds(seconds), TestContext.Current.CancellationToken);
            server.Edge.Time.Advance(TimeSpan.FromSeconds(seconds));
        }

        (await pull)[^1].ShouldBe("""{"error":"127.0.0.1 failed 6 times in a row, the last time so: 127.0.0.1 answered 503"}""");
        // One line for whoever runs the server: what a source does is no fault in here.
        server.Edge.Logs.Lines.Single(line => line.Contains("could not be pulled", StringComparison.Ordinal)).TrimEnd()
            .ShouldEndWith("could not be pulled: 127.0.0.1 failed 6 times in a row, the last time so: 127.0.0.1 answered 503");
    }

    /// <summary>2 MiB of the content, the end of it when told to.</summary>
    internal static async Task SendPartAsync(HttpContext context, byte[] content, Task cut)
    {
        context.Response.ContentLength = content.Length;
        context.Response.Headers.ETag = FakeRegistry.ETagOf(content);
        context.Response.Headers.AcceptRanges = "bytes";
        await context.Response.Body.WriteAsync(content.AsMemory(0, 2 << 20));
        await context.Response.Body.FlushAsync();
        await cut.WaitAsync(context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        context.Abort();
    }

    internal static async Task ReadUntilAsync(StreamReader lines, string field, long atLeast)
    {
        while (await lines.ReadLineAsync(Cancel) is { } line)
        {
            int at = line.IndexOf(field, StringComparison.Ordinal);
            if (at >= 0 && long.Parse(line[(at + field.Length)..].TrimEnd('}')) >= atLeast)
                return;
        }
        Assert.Fail("the pull ended before");
    }

    internal static long RangeStart(string range) => long.Parse(range["bytes=".Length..].TrimEnd('-'));
}
