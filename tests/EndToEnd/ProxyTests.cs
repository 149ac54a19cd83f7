using System.Text.Json;
using OllamaMax.TestKit;

namespace OllamaMax.EndToEnd.Tests;

/// <summary>Processes in networks that let out little.</summary>
public sealed class ProxyTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_WithAProxyThatIsNotThere_StaysOnThisMachine()
    {
        Dictionary<string, string?> environment = Proxy("http://127.0.0.1:9");
        await using LocalSystem system = await LocalSystem.StartAsync(new() { Environment = environment }, Cancellation);
        using HttpClient client = system.Client();

        (await client.ChatAsync()).ShouldContain("OllamaMax");
    }

    [Fact]
    public async Task Worker_BehindAProxy_JoinsThroughItAndAnswers()
    {
        await using LocalSystem system = await LocalSystem.StartAsync(new() { Workers = 0 }, Cancellation);
        await using ForwardProxy proxy = new();
        // A name that is not this machine's own, so the proxy is asked; what it passes on comes back here.
        Uri edge = new($"http://host.docker.internal:{system.BaseAddress.Port}");

        await using JoinedWorker worker = await JoinedWorker.StartAsync(system, edge, Proxy(proxy.Address.ToString()), Cancellation);

        using HttpClient client = system.Client();
        (await client.ChatAsync()).ShouldContain("OllamaMax");
        JsonElement listed = (await client.WorkersAsync()).EnumerateArray().ShouldHaveSingleItem();
        listed.GetProperty("pid").GetInt32().ShouldBe(worker.Pid);
        proxy.Seen.ShouldContain($"POST {edge}cluster/enrolments HTTP/1.1");
    }

    private static Dictionary<string, string?> Proxy(string address) => new()
    {
        ["HTTP_PROXY"] = address,
        ["http_proxy"] = address,
        ["HTTPS_PROXY"] = address,
        ["https_proxy"] = address,
        ["NO_PROXY"] = null,
        ["no_proxy"] = null,
    };
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class StringJson : System.Text.Json.Serialization.JsonSerializerContext;
