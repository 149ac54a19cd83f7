using System.Net;
using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Models;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Pulls;

/// <summary>How long answers of pulls, and of creations that pull, are kept alive and ended.</summary>
public sealed class PullAnswerTests(AzuriteFixture azurite)
{
    private const string Success = """{"status":"success"}""";

    /// <summary>Shorter than what the source may be silent.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/api/pull", true)]
    [InlineData("/api/pull", false)]
    [InlineData("/api/create", true)]
    public async Task Answer_InOnePiece_IsKeptAliveBySpacesAndEndsAsItEnds(string path, bool succeeds)
    {
        await using PullServer server = await PullServer.StartAsync(azurite, options => options.SilenceLimit = Silence);
        (string name, string derived) = (PullServer.UniqueName(), PullServer.UniqueName());
        byte[] weights = PullServer.UniqueModel();
        string digest = server.Registry.AddModel($"library/{name}/latest", weights);
        TaskCompletionSource go = new();
        server.Registry.Faults.Enqueue(async (context, content) =>
        {
            await go.Task.WaitAsync(context.RequestAborted);
            await context.Response.Body.WriteAsync(succeeds ? content : new byte[content.Length]);
        });
        string request = JsonSerializer.Serialize(path == "/api/pull" ? new { model = name, from = (string?)null, stream = false } : new { model = derived, from = (string?)name, stream = false });

        Task<HttpResponseMessage> answering = server.Edge.PostAsync(path, request);
        await server.Edge.Time.WaitForTimerAsync(Silence, Cancel);
        answering.IsCompleted.ShouldBeFalse("nothing is sent before it has to");
        server.Edge.Time.Advance(Silence);
        using HttpResponseMessage response = await answering;
        go.SetResult();

        (response.StatusCode, response.Content.Headers.ContentType!.MediaType).ShouldBe((HttpStatusCode.OK, "application/json"));
        string body = await response.Content.ReadAsStringAsync(Cancel);
        body.ShouldBe(succeeds ? $" {Success}\n" : $$""" {"error":"digest mismatch, expected \"{{digest}}\", got \"{{ModelDigest.Of(new byte[weights.Length])}}\": what came was thrown away"}""");
    }

    [Fact]
    public async Task Stream_TheServersLimitIsReached_SaysSoInALastLine()
    {
        using CancellationTokenSource limit = new();
        await using PullServer server = await PullServer.StartAsync(azurite, limit: limit.Token);
        string name = PullServer.UniqueName();
        server.Registry.AddModel($"library/{name}/latest", PullServer.UniqueModel());
        server.Registry.Faults.Enqueue((context, content) => PullTests.SendPartAsync(context, content, new TaskCompletionSource().Task));

        using HttpResponseMessage response = await server.PullAsync(new { model = name });
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync(Cancel));
        await PullTests.ReadUntilAsync(lines, "\"completed\":", atLeast: 1 << 20);
        await limit.CancelAsync();

        (await lines.ReadToEndAsync(Cancel)).ShouldEndWith("""{"error":"an answer ends after 25 minutes here, and the pull with it: pull again to go on"}""" + "\n");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Create_FromWhatIsNotThere_PullsItFirst(bool isStream)
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        (string name, string derived) = (PullServer.UniqueName(), PullServer.UniqueName());
        byte[] weights = PullServer.UniqueModel();
        string digest = server.Registry.AddModel($"library/{name}/latest", weights);

        using HttpResponseMessage response = await server.Edge.PostAsync("/api/create", JsonSerializer.Serialize(new { model = derived, from = name, system = "Be brief.", stream = isStream }));
        string[] lines = await response.LinesAsync();

        if (isStream)
        {
            lines[0].ShouldBe("""{"status":"pulling manifest"}""");
            lines.ShouldContain($$"""{"status":"pulling {{digest[7..19]}}","digest":"{{digest}}","total":{{weights.Length}},"completed":{{weights.Length}}}""");
            lines.Count(line => line == Success).ShouldBe(1, "it is what was asked for that succeeds");
        }
        lines[^1].ShouldBe(Success);
        ModelView made = (await server.Catalog.FindAsync(ModelName.Parse(derived), Cancel)).ShouldNotBeNull();
        (made.Weights, made.Modelfile.System).ShouldBe((digest, "Be brief."));
        (await server.Catalog.FindAsync(ModelName.Parse(name), Cancel)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Create_FromWhatIsNowhere_SaysSo()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();

        using HttpResponseMessage streamed = await server.Edge.PostAsync("/api/create", JsonSerializer.Serialize(new { model = "derived", from = name }));
        using HttpResponseMessage whole = await server.Edge.PostAsync("/api/create", JsonSerializer.Serialize(new { model = "derived", from = name, stream = false }));

        string expected = $"model '{name}:latest' is not there, and cannot be pulled: pull model manifest: file does not exist";
        (await streamed.LinesAsync())[^1].ShouldBe($$"""{"error":"{{expected}}"}""");
        (await whole.ErrorAsync(HttpStatusCode.InternalServerError)).ShouldBe(expected);
    }
}
