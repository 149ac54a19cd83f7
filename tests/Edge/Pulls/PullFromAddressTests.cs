using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Pulls;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Models;
using OllamaMax.Storage.Models;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Pulls;

public sealed class PullFromAddressTests(AzuriteFixture azurite)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Pull_AddressCutInBetween_GoesOnOnlyWithTheSameVersion(bool isChanged)
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        byte[] weights = PullServer.UniqueModel();
        byte[] others = PullServer.UniqueModel();
        string path = $"{name}.gguf";
        TaskCompletionSource cut = new();
        server.Registry.Replace(path, weights);
        server.Registry.Faults.Enqueue((context, content) => PullTests.SendPartAsync(context, content, cut.Task));

        using HttpResponseMessage response = await server.PullAsync(new { model = name, from = $"{server.Registry.ContentUrl}/content/{path}" });
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync(Cancel));
        await PullTests.ReadUntilAsync(lines, "\"completed\":", atLeast: 1 << 20);
        if (isChanged)
            server.Registry.Replace(path, others);
        cut.SetResult();
        await server.Edge.Time.WaitForTimerAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        server.Edge.Time.Advance(TimeSpan.FromSeconds(1));

        (await lines.ReadToEndAsync(Cancel)).ShouldEndWith("""{"status":"success"}""" + "\n");
        PullTests.RangeStart(server.Registry.Ranges.Last()).ShouldBeGreaterThanOrEqualTo(1 << 20);
        (await server.Catalog.FindAsync(ModelName.Parse(name), Cancel))!.Weights.ShouldBe(ModelDigest.Of(isChanged ? others : weights));
    }

    [Fact]
    public async Task Pull_PartOfAnotherVersionComes_BothAreNotMixed()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        byte[] others = PullServer.UniqueModel();
        string path = $"{name}.gguf";
        TaskCompletionSource cut = new();
        server.Registry.Replace(path, PullServer.UniqueModel());
        server.Registry.Faults.Enqueue((context, content) => PullTests.SendPartAsync(context, content, cut.Task));
        server.Registry.Faults.Enqueue((context, content) =>
        {
            // As a server does that does not know If-Range.
            context.Request.Headers.Remove("If-Range");
            return Results.Bytes(content, enableRangeProcessing: true, entityTag: new(FakeRegistry.ETagOf(content))).ExecuteAsync(context);
        });

        using HttpResponseMessage response = await server.PullAsync(new { model = name, from = $"{server.Registry.ContentUrl}/content/{path}" });
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync(Cancel));
        await PullTests.ReadUntilAsync(lines, "\"completed\":", atLeast: 1 << 20);
        server.Registry.Replace(path, others);
        cut.SetResult();
        foreach (int seconds in (int[])[1, 2])
        {
            await server.Edge.Time.WaitForTimerAsync(TimeSpan.FromSeconds(seconds), TestContext.Current.CancellationToken);
            server.Edge.Time.Advance(TimeSpan.FromSeconds(seconds));
        }

        (await lines.ReadToEndAsync(Cancel)).ShouldEndWith("""{"status":"success"}""" + "\n");
        server.Registry.Faults.ShouldBeEmpty();
        (await server.Catalog.FindAsync(ModelName.Parse(name), Cancel))!.Weights.ShouldBe(ModelDigest.Of(others));
    }

    [Fact]
    public async Task Pull_CutOffBeforeTheModelIsThere_NothingIsFetchedAgain()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        byte[] weights = PullServer.UniqueModel();
        string address = $"{server.Registry.ContentUrl}/content/{name}.gguf";
        server.Registry.Replace($"{name}.gguf", weights);

        using (PullHandle cut = server.Edge.Services.GetRequiredService<ActivePulls>().Join(new(ModelName.Parse(name), new(address)), _ => throw new CatalogException("cut off")))
            (await cut.Ended).ShouldBe("cut off");
        bool isKept = await IsStagedAsync(server, address);
        string[] lines = await server.LinesAsync(new { model = name, from = address });

        isKept.ShouldBeTrue();
        lines[^1].ShouldBe("""{"status":"success"}""");
        PullTests.RangeStart(server.Registry.Ranges.Last()).ShouldBe(weights.Length);
        (await IsStagedAsync(server, address)).ShouldBeFalse();
    }

    [Fact]
    public async Task Pull_AddressOfAPage_SaysThatItIsNoGguf()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        server.Registry.Replace("page", "<!doctype html>"u8.ToArray());
        string address = $"{server.Registry.ContentUrl}/content/page";

        string[] lines = await server.LinesAsync(new { model = "page", from = address });

        lines[^1].ShouldBe($$"""{"error":"{{address}} is no GGUF file"}""");
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest")]
    [InlineData("ftp://example.org/model.gguf")]
    [InlineData("https://user:secret@example.org/model.gguf")]
    [InlineData("model.gguf")]
    public async Task Pull_AddressThatIsNotAsked_IsRefused(string from)
    {
        await using PullServer server = await PullServer.StartAsync(azurite);

        using HttpResponseMessage response = await server.PullAsync(new { model = "any", from });

        (await response.ErrorAsync(HttpStatusCode.BadRequest))
            .ShouldBe("from must be an https URL without credentials (http only where the server's options say so)");
    }

    [Theory]
    [InlineData("https://huggingface.co/org/repo/blob/main/model.gguf")]
    [InlineData("hf.co/org/repo/resolve/main/model.gguf?download=true")]
    [InlineData("https://example.org/files/model.GGUF")]
    public async Task Pull_AddressOfAFileForAName_SaysWhereItBelongs(string model)
    {
        await using PullServer server = await PullServer.StartAsync(azurite);

        using HttpResponseMessage response = await server.PullAsync(new { model });

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldBe("model must be a name: the address of a file is \"from\"");
    }

    [Theory]
    [InlineData("https://169.254.169.254/latest", "169.254.169.254")]
    [InlineData("https://[::1]:9/model.gguf", "[::1]")]
    [InlineData("https://localhost:9/model.gguf", "localhost")]
    public async Task Pull_AddressThatIsNotPublic_IsNotAskedWhateverItsName(string from, string host)
    {
        await using PullServer server = await PullServer.StartAsync(azurite);

        string[] lines = await server.LinesAsync(new { model = "any", from });

        lines[^1].ShouldBe($$"""{"error":"{{host}} is not asked: it has no public address, and the server's options do not name it"}""");
    }

    [Fact]
    public async Task Pull_RedirectToAnAddressThatIsNotPublic_IsNotFollowed()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        server.Registry.Replace("away", [1]);
        server.Registry.Faults.Enqueue((context, _) =>
        {
            context.Response.Redirect("https://localhost:9/latest");
            return Task.CompletedTask;
        });

        string[] lines = await server.LinesAsync(new { model = "any", from = $"{server.Registry.ContentUrl}/content/away" });

        lines[^1].ShouldContain("localhost is not asked");
    }

    private static async Task<bool> IsStagedAsync(PullServer server, string address) =>
        await server.OtherEdge.LengthAsync($"url-{ModelDigest.Hex(ModelDigest.Of(Encoding.UTF8.GetBytes(address)))}", Cancel) > 0;
}
