using System.Net;
using OllamaMax.Edge.Tests.Support;

namespace OllamaMax.Edge.Tests.Ollama;

/// <summary>What the <c>ollama</c> command asks of a server about ollama.com.</summary>
public sealed class CloudEndpointsTests
{
    [Theory]
    [InlineData("/api/status", """{"cloud":{"disabled":true,"source":"config"}}""")]
    [InlineData("/api/experimental/model-recommendations", """{"recommendations":[]}""")]
    public async Task Get_WhatIsToBeHad_NothingOfTheCloud(string path, string answer)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, path);

        (await response.TextAsync()).ShouldBe(answer);
    }

    [Theory]
    [InlineData("/api/me", HttpStatusCode.Forbidden, "ollama cloud is disabled: this server has no account at ollama.com, and needs none")]
    [InlineData("/api/signout", HttpStatusCode.Unauthorized, "you are not currently signed in")]
    [InlineData("/api/experimental/web_search", HttpStatusCode.Forbidden, "ollama cloud is disabled: web search is unavailable")]
    [InlineData("/api/experimental/web_fetch", HttpStatusCode.Forbidden, "ollama cloud is disabled: web fetch is unavailable")]
    public async Task Post_WhatNeedsAnAccount_SaysThatThereIsNone(string path, HttpStatusCode status, string message)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync(path, """{"query":"x"}""");

        (await response.ErrorAsync(status)).ShouldBe(message);
    }

    [Fact]
    public async Task Delete_KeyOfAnAccount_NobodyIsSignedIn()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Delete, "/api/user/keys/c3NoLWVk");

        (await response.ErrorAsync(HttpStatusCode.Unauthorized)).ShouldBe("you are not currently signed in");
    }
}
