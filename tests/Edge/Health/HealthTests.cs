using System.Net;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Health;
using OllamaMax.Edge.Tests.Support;

namespace OllamaMax.Edge.Tests.Health;

[Collection(nameof(RunsAlone))]
public sealed class HealthTests
{
    [Fact]
    public async Task Ready_AllThere_Ok()
    {
        await using EdgeServer edge = await StartAsync(new Check("storage", _ => new((string?)null)));

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, "/readyz");

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await response.TextAsync()).ShouldBe("""{"ready":true,"checks":[{"name":"storage","ready":true}]}""");
    }

    [Fact]
    public async Task Ready_SomethingMissing_SaysWhich()
    {
        await using EdgeServer edge = await StartAsync(
            new Check("storage", _ => new((string?)null)),
            new Check("signalr", _ => throw new InvalidOperationException("key=secret")),
            new Check("workers", _ => new("no worker is alive")));

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, "/readyz");

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await response.TextAsync()).ShouldBe(
            """{"ready":false,"checks":[{"name":"storage","ready":true},"""
            + """{"name":"signalr","ready":false,"reason":"the check failed; see the log"},"""
            + """{"name":"workers","ready":false,"reason":"no worker is alive"}]}""");
    }

    [Fact]
    public async Task Ready_CheckHangs_NotReadyAfterTwoSeconds()
    {
        await using EdgeServer edge = await StartAsync(new Check("storage", async token =>
        {
            await Task.Delay(Timeout.Infinite, token);
            return null;
        }));
        Task<HttpResponseMessage> pending = edge.SendAsync(HttpMethod.Get, "/readyz");
        await edge.Time.WaitForTimerAsync(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);

        edge.Time.Advance(TimeSpan.FromSeconds(2));

        using HttpResponseMessage response = await pending;
        (await response.TextAsync()).ShouldContain("no answer within 2 s");
    }

    [Fact]
    public async Task Metrics_AfterRequests_CountsThem()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("x").Finish();
        using HttpResponseMessage answer = await edge.PostAsync("/api/generate", """{"model":"demo","prompt":"hi"}""");
        await answer.TextAsync();
        using HttpResponseMessage missing = await edge.SendAsync(HttpMethod.Get, "/nowhere");

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, "/metrics");

        string[] lines = (await response.TextAsync()).Split('\n');
        Value("ollamamax_requests_total", "route=\"/api/generate\"", "status=\"200\"").ShouldBe("1");
        Value("ollamamax_requests_total", "route=\"none\"", "status=\"404\"").ShouldBe("1");
        Value("ollamamax_tokens_total", "kind=\"prompt\"").ShouldBe("7");
        Value("ollamamax_tokens_total", "kind=\"output\"").ShouldBe("2");
        Value("ollamamax_prompt_tokens_total", "cached=\"false\"", "gen_ai_response_model=\"demo:latest\"").ShouldBe("4");
        Value("ollamamax_prompt_tokens_total", "cached=\"true\"", "gen_ai_response_model=\"demo:latest\"").ShouldBe("3");
        Value("ollamamax_drafted_tokens_total", "accepted=\"false\"", "gen_ai_response_model=\"demo:latest\"").ShouldBe("4");
        Value("ollamamax_drafted_tokens_total", "accepted=\"true\"", "gen_ai_response_model=\"demo:latest\"").ShouldBe("1");
        Value("gen_ai_server_time_to_first_token_seconds_count", "gen_ai_operation_name=\"text_completion\"", "gen_ai_request_model=\"demo:latest\"").ShouldBe("1");
        Value("gen_ai_server_request_duration_seconds_count", "gen_ai_provider_name=\"ollamamax\"").ShouldBe("1");
        Value("ollamamax_request_duration_seconds_count", "route=\"/api/generate\"").ShouldBe("1");

        string? Value(string name, params string[] labels) => lines
            .FirstOrDefault(line => line.StartsWith(name + "{", StringComparison.Ordinal) && labels.All(line.Contains))
            ?[..].Split("} ")[1].Split(' ')[0];
    }

    private static Task<EdgeServer> StartAsync(params IReadinessCheck[] checks) => EdgeServer.StartAsync(services: services =>
    {
        foreach (IReadinessCheck check in checks)
            services.AddSingleton(check);
    });

    private sealed class Check(string name, Func<CancellationToken, ValueTask<string?>> answer) : IReadinessCheck
    {
        public string Name => name;

        public ValueTask<string?> CheckAsync(CancellationToken cancellationToken) => answer(cancellationToken);
    }
}
