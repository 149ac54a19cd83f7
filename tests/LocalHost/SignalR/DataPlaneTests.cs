using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.SignalR.Client;
using OllamaMax.SignalR;

namespace OllamaMax.LocalHost.SignalR;

/// <summary>The REST surface's statuses, and what clients may do.</summary>
public sealed class DataPlaneTests
{
    [Theory]
    [InlineData("{", HttpStatusCode.BadRequest)]
    [InlineData("[]", HttpStatusCode.BadRequest)]
    [InlineData("", HttpStatusCode.BadRequest)]
    [InlineData("""{"arguments":[]}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"target":1}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"target":"t","arguments":{}}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"target":"t"}""", HttpStatusCode.Accepted)]
    [InlineData("""{"target":"t","arguments":[1,{"a":[null]},"x"]}""", HttpStatusCode.Accepted)]
    public async Task Send_Bodies_TakenWhenTheyAreMessages(string body, HttpStatusCode expected)
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();

        (await CallAsync(harness, HttpMethod.Post, "/api/hubs/test/users/u/:send", Encoding.UTF8.GetBytes(body))).ShouldBe(expected);
    }

    [Theory]
    [InlineData(1024 * 1024, false, HttpStatusCode.Accepted)]
    [InlineData(1024 * 1024 + 1, false, HttpStatusCode.RequestEntityTooLarge)]
    [InlineData(1024 * 1024 + 1, true, HttpStatusCode.RequestEntityTooLarge)]
    public async Task Send_BySize_OneMegabyteIsTheMost(int bytes, bool chunked, HttpStatusCode expected)
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        const string Head = """{"target":"t","arguments":[""", Tail = "\"]}";
        byte[] body = Encoding.UTF8.GetBytes(Head + "\"" + new string('x', bytes - Head.Length - 1 - Tail.Length) + Tail);
        body.Length.ShouldBe(bytes);

        (await CallAsync(harness, HttpMethod.Post, "/api/hubs/test/:send", body, chunked)).ShouldBe(expected);
    }

    [Fact]
    public async Task Send_LargeMessage_ArrivesWhole()
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        Inbox inbox = await harness.ListenAsync("u");
        string text = new('x', 900_000);

        (await harness.SendAsync("u", text)).ShouldBeOfType<SendOutcome.Sent>();

        (await inbox.NextAsync()).ShouldBe(text);
    }

    [Theory]
    [InlineData("POST", "/api/hubs/test/users/u/:nothing", HttpStatusCode.NotFound)]
    [InlineData("POST", "/api/hubs/1test/:send", HttpStatusCode.NotFound)]
    [InlineData("GET", "/", HttpStatusCode.NotFound)]
    [InlineData("HEAD", "/api/hubs/test/users/u/groups/g", HttpStatusCode.NotFound)]
    [InlineData("PUT", "/api/hubs/test/users/u/groups/g", HttpStatusCode.OK)]
    [InlineData("DELETE", "/api/hubs/test/users/u/groups/g", HttpStatusCode.NoContent)]
    [InlineData("POST", "/api/hubs/test/users/u/:closeConnections", HttpStatusCode.NoContent)]
    [InlineData("GET", "/api/health", HttpStatusCode.OK)]
    [InlineData("HEAD", "/api/health", HttpStatusCode.OK)]
    public async Task Call_Paths_AnswerAsDocumented(string method, string path, HttpStatusCode expected)
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();

        (await CallAsync(harness, new(method), path, body: null)).ShouldBe(expected);
    }

    [Fact]
    public async Task Health_WithoutToken_Answers()
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        using HttpClient http = new();

        using HttpResponseMessage response = await http.GetAsync(new Uri(harness.Surface.Endpoint + "/api/health"), harness.Cancel);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Client_Invokes_IsDisconnected()
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        Negotiation negotiation = harness.Hub.Negotiate("talker", TimeSpan.FromMinutes(1));
        await using HubConnection connection = new HubConnectionBuilder()
            .WithUrl(negotiation.Url, options => options.AccessTokenProvider = () => Task.FromResult<string?>(negotiation.AccessToken))
            .Build();
        TaskCompletionSource<Exception?> closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.Closed += why =>
        {
            closed.SetResult(why);
            return Task.CompletedTask;
        };
        await connection.StartAsync(harness.Cancel);
        await harness.Surface.WaitForUserAsync("test", "talker", harness.Cancel);

        await connection.SendAsync("Anything", 1, harness.Cancel);

        (await closed.Task.WaitAsync(harness.Cancel)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Preflight_OfAnotherOrigin_AllowedWithoutToken()
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        using HttpClient http = new();
        using HttpRequestMessage request = new(HttpMethod.Options, harness.Surface.Endpoint + "/client/negotiate?hub=test");
        request.Headers.Add("Origin", "http://127.0.0.1:11434");
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "authorization,x-signalr-user-agent");

        using HttpResponseMessage response = await http.SendAsync(request, harness.Cancel);

        response.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        response.Headers.GetValues("Access-Control-Allow-Origin").ShouldBe(["http://127.0.0.1:11434"]);
        response.Headers.GetValues("Access-Control-Allow-Credentials").ShouldBe(["true"]);
    }

    [Fact]
    public async Task StartAsync_PortTaken_ThrowsIOException()
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        SignalRSurfaceOptions options = new() { Port = new Uri(harness.Surface.Endpoint).Port };

        await Should.ThrowAsync<IOException>(() => SignalRSurface.StartAsync(
            options, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance, harness.Cancel));
    }

    private static async Task<HttpStatusCode> CallAsync(
        SurfaceHarness harness, HttpMethod method, string path, byte[]? body, bool chunked = false)
    {
        using HttpClient http = new();
        string url = harness.Surface.Endpoint + path;
        using HttpRequestMessage request = new(method, url + "?api-version=2022-06-01");
        request.Headers.TransferEncodingChunked = chunked;
        request.Headers.Authorization = new("Bearer", new AccessTokens(harness.Connection, TimeProvider.System).ForUrl(url, TimeSpan.FromMinutes(1)).Value);
        if (body is not null)
            request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        using HttpResponseMessage response = await http.SendAsync(request, harness.Cancel);
        return response.StatusCode;
    }
}
