using System.Net;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Security.Cors;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Security;

public sealed class CorsTests(AzuriteFixture azurite)
{
    private const string Page = "https://app.example.org";

    [Fact]
    public async Task Preflight_ConfiguredOrigin_IsAnsweredWithoutAKey()
    {
        await using EdgeServer edge = await StartAsync();

        using HttpResponseMessage response = await edge.SendAsync(
            HttpMethod.Options, "/v1/chat/completions", null, ("Origin", Page), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "authorization,content-type"));

        response.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        Header(response, "Access-Control-Allow-Origin").ShouldBe(Page);
        Header(response, "Access-Control-Allow-Headers").ShouldBe("authorization,content-type");
        response.Headers.Contains("Access-Control-Allow-Credentials").ShouldBeFalse();
    }

    [Theory]
    [InlineData(Page, HttpStatusCode.OK, Page)]
    [InlineData("https://evil.example", HttpStatusCode.Forbidden, null)]
    [InlineData("null", HttpStatusCode.Forbidden, null)]
    public async Task Get_Origin_OnlyTheConfiguredOneMayRead(string origin, HttpStatusCode status, string? allowed)
    {
        await using EdgeServer edge = await StartAsync();

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, "/api/tags", null, ("Origin", origin), ("x-api-key", SecuredEdge.Admin));

        response.StatusCode.ShouldBe(status);
        Header(response, "Access-Control-Allow-Origin").ShouldBe(allowed);
        // What If-Match needs is in a header that no page sees by itself.
        (Header(response, "Access-Control-Expose-Headers")?.Split(", ").Contains("ETag") is true).ShouldBe(allowed is not null);
    }

    [Fact]
    public async Task Get_WhereNoKeyIsNeeded_NoPageIsLetIn()
    {
        await using EdgeServer edge = await StartAsync(options => options.TrustLoopback = true);

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, "/api/tags", null, ("Origin", Page));

        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        Header(response, "Access-Control-Allow-Origin").ShouldBeNull();
    }

    private Task<EdgeServer> StartAsync(Action<EdgeOptions>? configure = null) =>
        SecuredEdge.StartAsync(azurite, configure, services => services.Configure<CorsOptions>(options => options.Origins.Add(Page)));

    private static string? Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? values.Single() : null;
}
