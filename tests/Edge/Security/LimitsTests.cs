using System.Globalization;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Security.Limits;
using OllamaMax.Edge.Security.Oidc;
using OllamaMax.Edge.Tenants;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Security;

public sealed class LimitsTests(AzuriteFixture azurite)
{
    private const string Chat = """{"model":"demo","messages":[{"role":"user","content":"x"}],"stream":false}""";

    [Fact]
    public async Task Chat_RequestsPerMinute_HeadersCountDownThen429UntilTheNextMinute()
    {
        await using EdgeServer edge = await StartAsync();
        (_, string key) = await edge.CreateKeyAsync(new { name = "two", limits = new { requests_per_minute = 2 } });

        foreach (string left in (string[])["1", "0"])
        {
            using HttpResponseMessage let = await ChatAsync(edge, key);
            let.StatusCode.ShouldBe(HttpStatusCode.OK);
            Header(let, "x-ratelimit-limit-requests").ShouldBe("2");
            Header(let, "x-ratelimit-remaining-requests").ShouldBe(left);
        }
        using HttpResponseMessage refused = await ChatAsync(edge, key);

        // The edge's clock stands at 5.678 s.
        (await refused.ErrorAsync(HttpStatusCode.TooManyRequests)).ShouldBe("rate limit reached: 2 requests per minute");
        Header(refused, "retry-after").ShouldBe("55");
        Header(refused, "x-ratelimit-reset-requests").ShouldBe("54.322s");
        (await edge.StatusAsync("/api/tags", key)).ShouldBe(HttpStatusCode.OK, "only inferences are counted");
        edge.Time.Advance(TimeSpan.FromSeconds(55));
        using HttpResponseMessage later = await ChatAsync(edge, key);
        later.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Chat_TokensOfTheDay_AreUsedUpByAnswersThatWereCutToo()
    {
        await using EdgeServer edge = await StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("some", tokens: 10).Fail(JobErrorKind.Failed, "it broke");
        (_, string key) = await edge.CreateKeyAsync(new { name = "ten", limits = new { tokens_per_day = 10 } });

        using HttpResponseMessage first = await ChatAsync(edge, key);
        using HttpResponseMessage second = await ChatAsync(edge, key);

        first.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        (await second.ErrorAsync(HttpStatusCode.TooManyRequests)).ShouldBe("rate limit reached: 10 tokens per day");
    }

    [Fact]
    public async Task Chat_Concurrent_RefusedWhileOneIsBeingAnsweredAtAnyEdge()
    {
        await using EdgeServer edge = await StartAsync();
        await using EdgeServer other = await StartAsync();
        (_, string key) = await edge.CreateKeyAsync(new { name = "one", limits = new { concurrent = 1 } });
        edge.Jobs.Script = null;
        Task<HttpResponseMessage> running = ChatAsync(edge, key);
        StartedJob job = await edge.Jobs.NextAsync();

        using HttpResponseMessage here = await ChatAsync(edge, key);
        using HttpResponseMessage there = await ChatAsync(other, key);

        (await here.ErrorAsync(HttpStatusCode.TooManyRequests)).ShouldBe("rate limit reached: 1 requests at a time");
        there.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        job.Accept().Say("done").Finish();
        (await running).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Chat_TenantsLimit_HoldsForAllItsKeysTogether()
    {
        string tenant = $"t-{Guid.NewGuid():n}";
        await using EdgeServer edge = await StartAsync(options => options.Limits[tenant] = new() { RequestsPerMinute = 3 });
        (_, string one) = await edge.CreateKeyAsync(new { name = "one", tenant, limits = new { requests_per_minute = 2 } });
        (_, string two) = await edge.CreateKeyAsync(new { name = "two", tenant });
        List<HttpStatusCode> statuses = [];

        foreach (string key in (string[])[one, one, one, two, two])
        {
            using HttpResponseMessage response = await ChatAsync(edge, key);
            statuses.Add(response.StatusCode);
        }

        statuses.ShouldBe([HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.TooManyRequests, HttpStatusCode.OK, HttpStatusCode.TooManyRequests]);
    }

    /// <summary>A user who signs in with the company's identity provider has no key: what its group may use holds for each of its users alone, at all edges.</summary>
    [Fact]
    public async Task Chat_UserOfAnIssuer_IsHeldByItsGroupsLimitsAndModels()
    {
        await using TestIssuer issuer = await TestIssuer.StartAsync();
        await using EdgeServer edge = await StartAsync(more: services => Trust(services, issuer));
        await using EdgeServer other = await StartAsync(more: services => Trust(services, issuer));
        string me = $"u-{Guid.NewGuid():n}";
        string mine = Token(issuer, edge, me);

        using HttpResponseMessage first = await ChatAsync(edge, mine);
        edge.Time.Advance(TimeSpan.FromSeconds(1));
        await edge.Services.GetRequiredService<LimitBook>().FlushAsync(all: true, TestContext.Current.CancellationToken);
        using HttpResponseMessage refused = await ChatAsync(other, mine);
        using HttpResponseMessage others = await ChatAsync(edge, Token(issuer, edge, $"u-{Guid.NewGuid():n}"));
        using HttpResponseMessage hidden = await ChatAsync(edge, Token(issuer, edge, me, "artists"));

        first.StatusCode.ShouldBe(HttpStatusCode.OK);
        Header(first, "x-ratelimit-limit-requests").ShouldBe("5");
        (await refused.ErrorAsync(HttpStatusCode.TooManyRequests)).ShouldBe("rate limit reached: 9 tokens per day");
        int.Parse(Header(refused, "retry-after"), CultureInfo.InvariantCulture).ShouldBeGreaterThan(60);
        others.StatusCode.ShouldBe(HttpStatusCode.OK);
        hidden.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("/v1/chat/completions", "rate_limit_exceeded")]
    [InlineData("/v1/messages", "rate_limit_error")]
    public async Task OtherApis_OverTheLimit_ItsOwnError(string path, string word)
    {
        await using EdgeServer edge = await StartAsync();
        (_, string key) = await edge.CreateKeyAsync(new { name = "none", limits = new { requests_per_minute = 0 } });

        using HttpResponseMessage response = await edge.PostAsync(path, "{}", ("x-api-key", key));

        response.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        (await response.TextAsync()).ShouldContain(word);
    }

    private static void Trust(IServiceCollection services, TestIssuer issuer) => services.Configure<OidcOptions>(options =>
    {
        options.Authority = new(issuer.Url);
        options.Audience = TestIssuer.Audience;
        options.DefaultRole = "user";
        options.Groups["Default"] = new() { RequestsPerMinute = 5 };
        options.Groups["interns"] = new() { TokensPerDay = 9, Models = { "demo" } };
        options.Groups["artists"] = new() { Models = { "large" } };
    });

    private static string Token(TestIssuer issuer, EdgeServer edge, string subject, string group = "interns") => issuer.Token(edge.Time.GetUtcNow(), token =>
    {
        token.Claims["sub"] = subject;
        token.Claims["groups"] = new[] { "everybody", group };
    });

    private async Task<EdgeServer> StartAsync(Action<TenantOptions>? tenants = null, Action<IServiceCollection>? more = null)
    {
        EdgeServer edge = await SecuredEdge.StartAsync(azurite, more: services =>
        {
            services.Configure(tenants ?? (_ => { }));
            more?.Invoke(services);
        });
        edge.Jobs.Script = job => job.Accept().Say("hello").Finish();
        return edge;
    }

    private static Task<HttpResponseMessage> ChatAsync(EdgeServer edge, string key) => edge.PostAsync("/api/chat", Chat, ("Authorization", $"Bearer {key}"));

    private static string Header(HttpResponseMessage response, string name) => response.Headers.GetValues(name).Single();
}
