using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using OllamaMax.TestKit;

namespace OllamaMax.EndToEnd.Tests;

/// <summary>Whatever comes in at the front, every process behind it stands.</summary>
[Collection(nameof(OneSystem))]
public sealed class MalformedRequestTests(LocalSystemFixture local)
{
    private const int Requests = 500;
    private const int Large = 50 << 20;

    /// <summary>Within the limit for bodies, so that all of it is held and parsed.</summary>
    private const int Allowed = 30 << 20;

    private static readonly string[] Paths = ["/api/chat", "/api/generate", "/api/show", "/cluster/enrolments"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Malformed_ManyRequests_EachGetsAClientErrorNoProcessDiesAndMemoryReturns()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Memory and children are looked up in /proc.");
        LocalSystem system = local.System;
        HttpClient client = local.Client;
        byte[] large = Filled(Large);
        byte[] allowed = Filled(Allowed);
        await client.ChatAsync();
        int from = system.Output.Lines.Count;
        IReadOnlyList<int> processes = LinuxProcesses.ChildrenOf(system.Pid);
        long before = LinuxProcesses.ResidentBytesOf(system.Pid);
        Random chance = new(20260102);

        for (int i = 0; i < Requests; i++)
        {
            byte[] body = (i % 50) switch { 49 => large, 24 => allowed, _ => MalformedBodies.Next(chance) };
            await PostAsync(client, i, body, isChunked: chance.Next(2) == 0);
        }

        LinuxProcesses.ChildrenOf(system.Pid).ShouldBe(processes, ignoreOrder: true);
        (await client.ChatAsync()).ShouldContain("OllamaMax");
        system.Output.Lines.Skip(from).ShouldNotContain(line => line.Contains(" error: ", StringComparison.Ordinal));
        // A single body that stays would be 30 MB, all of them 300 MB; the collector gives the rest back as it likes.
        (LinuxProcesses.ResidentBytesOf(system.Pid) - before).ShouldBeLessThan(150 << 20);
    }

    private static async Task PostAsync(HttpClient client, int number, byte[] body, bool isChunked)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, Paths[number % Paths.Length]) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.TransferEncodingChunked = isChunked;
        using HttpResponseMessage response = await client.SendAsync(request, Cancellation);
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        ((int)response.StatusCode).ShouldBeInRange(400, 499, $"request {number}: {text}");
        using JsonDocument json = JsonDocument.Parse(text);
        JsonProperty only = json.RootElement.EnumerateObject().ShouldHaveSingleItem();
        only.Name.ShouldBe("error");
        only.Value.GetString().ShouldNotBeNullOrEmpty();
    }

    private static byte[] Filled(int length)
    {
        byte[] body = new byte[length];
        Array.Fill(body, (byte)'[');
        Encoding.ASCII.GetBytes("""{"model":"nope","messages":""", body);
        return body;
    }
}
