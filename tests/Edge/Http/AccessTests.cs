using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.OpenAI.Responses;
using OllamaMax.Edge.Requests;
using OllamaMax.Edge.Tests.Support;

namespace OllamaMax.Edge.Tests.Http;

public sealed class AccessTests
{
    [Theory]
    [InlineData("evil.example", HttpStatusCode.Forbidden)]
    [InlineData("localhost", HttpStatusCode.OK)]
    [InlineData("127.0.0.1:11434", HttpStatusCode.OK)]
    [InlineData("[::1]:11434", HttpStatusCode.OK)]
    [InlineData("host.docker.internal:11434", HttpStatusCode.OK)]
    public async Task AnyRequest_Host_MustBeOneOfThisMachine(string host, HttpStatusCode status)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, "/", null, ("Host", host));

        response.StatusCode.ShouldBe(status);
    }

    [Theory]
    [InlineData("https://evil.example", HttpStatusCode.Forbidden)]
    [InlineData("null", HttpStatusCode.Forbidden)]
    [InlineData("http://localhost:3000", HttpStatusCode.OK)]
    [InlineData("http://[::1]:3000", HttpStatusCode.OK)]
    [InlineData("vscode-webview://abc", HttpStatusCode.OK)]
    public async Task AnyRequest_Origin_MustBeAPageOfThisMachine(string origin, HttpStatusCode status)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, "/", null, ("Origin", origin));

        response.StatusCode.ShouldBe(status);
    }

    [Fact]
    public async Task AnyRequest_LoopbackNotTrusted_Unauthorized()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync(options => options.TrustLoopback = false);

        using HttpResponseMessage refused = await edge.SendAsync(HttpMethod.Get, "/api/tags");
        using HttpResponseMessage health = await edge.SendAsync(HttpMethod.Get, "/healthz");

        await refused.ErrorAsync(HttpStatusCode.Unauthorized);
        health.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("203.0.113.7", 401)]
    [InlineData("127.0.0.1", 200)]
    [InlineData("::1", 200)]
    [InlineData(null, 401)]
    public async Task BarePipeline_RemoteAddress_OnlyLoopbackIsSomebody(string? address, int status)
    {
        // As inside a function: no web application, an inner pipeline that is handed an HttpContext.
        FixedModels models = new();
        ServiceCollection services = new();
        services.AddLogging();
        services.AddSingleton<IJobStarter>(new ScriptedStarter()).AddSingleton<IModelSource>(models).AddSingleton<IVocabularySource>(models);
        services.AddSingleton<ILoadedModels>(models).AddSingleton<IPromptRenderer>(models).AddSingleton<IResponseArchive>(new MemoryArchive());
        services.AddEdge(options => options.TrustLoopback = true);
        await using ServiceProvider provider = services.BuildServiceProvider(validateScopes: true);
        RequestDelegate pipeline = new ApplicationBuilder(provider).UseEdge().Build();
        DefaultHttpContext context = new() { RequestServices = provider };
        context.Request.Method = "GET";
        context.Request.Path = "/api/version";
        context.Connection.RemoteIpAddress = address is null ? null : IPAddress.Parse(address);
        using MemoryStream body = new();
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(body));

        await pipeline(context);

        context.Response.StatusCode.ShouldBe(status);
        context.Response.Headers["x-request-id"].Count.ShouldBe(1);
        body.Length.ShouldBeGreaterThan(0);
    }
}
