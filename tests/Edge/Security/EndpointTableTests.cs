using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Security;

namespace OllamaMax.Edge.Tests.Security;

public sealed class EndpointTableTests
{
    /// <summary>What is the same for everybody, and what looks at credentials of its own.</summary>
    private static readonly string[] Anonymous =
        ["/healthz", "/readyz", "/openapi.json", "/docs", "/console/{**path}", "/cluster/enrolments", "/cluster/workers/{id}/capabilities", "/cluster/jobs/{id}/claim"];

    [Fact]
    public async Task Endpoints_WholeEdge_EachSaysWhoMayCallIt()
    {
        await using ServiceProvider services = WholeEdge.Services();
        RouteEndpoint[] endpoints = WholeEdge.Endpoints(services);

        endpoints.Length.ShouldBeGreaterThan(30);
        foreach (RouteEndpoint endpoint in endpoints)
        {
            bool isAnonymous = endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null;
            isAnonymous.ShouldBe(Anonymous.Contains(endpoint.RoutePattern.RawText), endpoint.DisplayName);
            if (!isAnonymous)
                endpoint.Metadata.GetMetadata<RequiredPermission>().ShouldNotBeNull(endpoint.DisplayName).Permissions.ShouldNotBe(Permissions.None, endpoint.DisplayName);
        }
    }

    [Fact]
    public async Task Endpoint_SaysNothing_IsNobodys()
    {
        await using ServiceProvider services = WholeEdge.Services();
        RequestDelegate pipeline = new ApplicationBuilder(services).UseEdge(endpoints => endpoints.MapGet("/open", () => "open")).Build();
        DefaultHttpContext context = new() { RequestServices = services };
        (context.Request.Method, context.Request.Path) = ("GET", "/open");
        context.Features.Set(new Principal("local", "local", Permissions.All));

        await pipeline(context);

        context.Response.StatusCode.ShouldBe(StatusCodes.Status403Forbidden);
    }
}
