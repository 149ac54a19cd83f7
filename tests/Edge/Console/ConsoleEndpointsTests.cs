using System.IO.Compression;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.SignalR;

namespace OllamaMax.Edge.Tests.Console;

public sealed partial class ConsoleEndpointsTests
{
    private static Task<EdgeServer> StartAsync() => EdgeServer.StartAsync(options => options.TrustLoopback = false);

    [Fact]
    public async Task Page_WithoutKey_HasAPolicyThatLetsOnlyItsOwnFilesRun()
    {
        await using EdgeServer edge = await StartAsync();

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, "/console/");
        using HttpResponseMessage again = await edge.SendAsync(HttpMethod.Get, "/console/");

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/html");
        response.Headers.CacheControl!.NoStore.ShouldBeTrue();
        string policy = Policy(response);
        policy.ShouldStartWith("default-src 'none'; script-src 'self'; style-src 'self' 'nonce-");
        policy.ShouldContain("frame-ancestors 'none'");
        policy.ShouldNotContain("unsafe");
        string nonce = Nonce().Match(policy).Groups[1].Value;
        string page = await response.TextAsync();
        page.Split($"nonce=\"{nonce}\"").Length.ShouldBe(2);
        InlineScript().IsMatch(page).ShouldBeFalse();
        Policy(again).ShouldNotBe(policy);
    }

    [Fact]
    public async Task Page_WithACluster_MayConnectToItsSignalR()
    {
        SignalRConnectionString signalR = SignalRConnectionString.Parse($"Endpoint=https://ours.service.signalr.net;AccessKey={new string('k', 32)};Version=1.0;");
        await using EdgeServer edge = await EdgeServer.StartAsync(services: services =>
            services.AddSingleton(provider => new SignalRHub(signalR, "ours", null!, provider.GetRequiredService<TimeProvider>())));

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, "/console/");

        Policy(response).ShouldContain("connect-src 'self' https://ours.service.signalr.net wss://ours.service.signalr.net;");
    }

    [Fact]
    public async Task Path_WithoutSlash_LeadsToTheOneWithIt()
    {
        await using EdgeServer edge = await StartAsync();

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, "/console");

        // The client follows.
        response.RequestMessage!.RequestUri!.AbsolutePath.ShouldBe("/console/");
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("gzip, deflate, br", "br")]
    [InlineData("gzip", "gzip")]
    [InlineData("br;q=0, gzip;q=0.5", "gzip")]
    [InlineData("", null)]
    public async Task File_ByWhatTheClientTakes_IsCompressedAndTheSame(string accepted, string? encoding)
    {
        await using EdgeServer edge = await StartAsync();
        string script = await ScriptAsync(edge);

        using HttpResponseMessage plain = await edge.SendAsync(HttpMethod.Get, script);
        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, script, null, ("Accept-Encoding", accepted));

        response.Content.Headers.ContentEncoding.SingleOrDefault().ShouldBe(encoding);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/javascript");
        response.Headers.Vary.ShouldBe(["Accept-Encoding"]);
        byte[] bytes = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        Decompress(bytes, encoding).ShouldBe(await plain.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task File_NamedByItsContent_IsKeptAndNotSentAgain()
    {
        await using EdgeServer edge = await StartAsync();
        string script = await ScriptAsync(edge);
        using HttpResponseMessage first = await edge.SendAsync(HttpMethod.Get, script, null, ("Accept-Encoding", "br"));

        using HttpResponseMessage second = await edge.SendAsync(HttpMethod.Get, script, null, ("Accept-Encoding", "br"), ("If-None-Match", first.Headers.ETag!.ToString()));
        using HttpResponseMessage other = await edge.SendAsync(HttpMethod.Get, script, null, ("Accept-Encoding", "gzip"), ("If-None-Match", first.Headers.ETag!.ToString()));

        first.Headers.CacheControl!.ToString().ShouldContain("immutable");
        second.StatusCode.ShouldBe(HttpStatusCode.NotModified);
        other.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("/console/none.js")]
    [InlineData("/console/index.html/")]
    [InlineData("/console/..%2fopenapi.json")]
    public async Task File_ThatIsNotThere_Is404(string path)
    {
        await using EdgeServer edge = await StartAsync();

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, path);

        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    private static string Policy(HttpResponseMessage response) => response.Headers.GetValues("Content-Security-Policy").Single();

    private static async Task<string> ScriptAsync(EdgeServer edge)
    {
        using HttpResponseMessage page = await edge.SendAsync(HttpMethod.Get, "/console/");
        return $"/console/{Script().Match(await page.TextAsync()).Groups[1].Value}";
    }

    private static byte[] Decompress(byte[] bytes, string? encoding)
    {
        using MemoryStream input = new(bytes);
        using Stream decoded = encoding switch
        {
            "br" => new BrotliStream(input, CompressionMode.Decompress),
            "gzip" => new GZipStream(input, CompressionMode.Decompress),
            _ => input,
        };
        using MemoryStream output = new();
        decoded.CopyTo(output);
        return output.ToArray();
    }

    [GeneratedRegex("'nonce-([0-9A-F]{32})'")]
    private static partial Regex Nonce();

    [GeneratedRegex("""<script type="module" crossorigin src="\./([^"]+)">""")]
    private static partial Regex Script();

    [GeneratedRegex("<script(?![^>]* src=)|<style| on[a-z]+=")]
    private static partial Regex InlineScript();
}
