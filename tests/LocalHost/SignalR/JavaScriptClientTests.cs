using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using OllamaMax.SignalR;
using OllamaMax.TestKit;

namespace OllamaMax.LocalHost.SignalR;

public sealed class JavaScriptClientTests
{
    private static readonly string Client = NodeScript.Beside("client.mjs");

    [Theory]
    [InlineData("WebSockets")]
    [InlineData("ServerSentEvents")]
    [InlineData("LongPolling")]
    public async Task Client_ByTransport_ReceivesForUserAndGroup(string transport)
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        Negotiation negotiation = harness.Hub.Negotiate("browser", TimeSpan.FromMinutes(1));
        await harness.Hub.AddToGroupAsync("browser", "watchers", harness.Cancel);
        await using NodeScript client = new(Client, negotiation.Url, transport, negotiation.AccessToken);
        (await client.NextAsync(harness.Cancel)).Event.ShouldBe("connected");
        await harness.Surface.WaitForUserAsync("test", "browser", harness.Cancel);

        await harness.SendAsync("browser", "to the user ünï 🙂");
        await harness.Hub.SendToGroupAsync("watchers", "message", "to the group", TestJson.Default.String, harness.Cancel);

        foreach (string text in new[] { "to the user ünï 🙂", "to the group" })
            (await NextMessageAsync(client, harness)).ShouldBe(text);
    }

    [Fact]
    public async Task Client_RedirectedByNegotiate_ConnectsAndReceives()
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        await using WebApplication edge = await StartEdgeAsync(harness);
        await using NodeScript client = new(Client, edge.Urls.Single(), "All");
        (await client.NextAsync(harness.Cancel)).Event.ShouldBe("connected");
        await harness.Surface.WaitForUserAsync("test", "browser", harness.Cancel);

        await harness.SendAsync("browser", "hello");

        (await NextMessageAsync(client, harness)).ShouldBe("hello");
    }

    [Fact]
    public async Task Client_WrongToken_Refused()
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        Negotiation negotiation = harness.Hub.Negotiate("browser", TimeSpan.FromMinutes(1));
        await using NodeScript client = new(Client, negotiation.Url + "2", "All", negotiation.AccessToken);

        (string what, JsonElement why) = await client.NextAsync(harness.Cancel);

        what.ShouldBe("refused");
        why.GetString()!.ShouldContain("401");
    }

    [Fact]
    public async Task Client_Invokes_IsDisconnected()
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        Negotiation negotiation = harness.Hub.Negotiate("browser", TimeSpan.FromMinutes(1));
        await using NodeScript client = new(Client, negotiation.Url, "All", negotiation.AccessToken);
        (await client.NextAsync(harness.Cancel)).Event.ShouldBe("connected");

        await client.SendAsync("Anything");

        (await client.NextAsync(harness.Cancel)).Event.ShouldBe("closed");
    }

    private static async Task<string?> NextMessageAsync(NodeScript client, SurfaceHarness harness)
    {
        (string what, JsonElement value) = await client.NextAsync(harness.Cancel);
        what.ShouldBe("message");
        return value.EnumerateArray().Single().GetString();
    }

    /// <summary>What an edge does for clients: answers negotiate.</summary>
    private static async Task<WebApplication> StartEdgeAsync(SurfaceHarness harness)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        WebApplication app = builder.Build();
        app.Run(context => context.Response.WriteAsJsonAsync(
            harness.Hub.Negotiate("browser", TimeSpan.FromMinutes(1)), TestJson.Default.Negotiation));
        await app.StartAsync(harness.Cancel);
        return app;
    }
}
