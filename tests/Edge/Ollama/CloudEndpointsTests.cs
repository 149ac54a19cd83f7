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
    [InlineData("POST", "/api/me", "this server has no account at ollama.com, and needs none")]
    [InlineData("POST", "/api/signout", "this server has no account at ollama.com, and needs none")]
    [InlineData("DELETE", "/api/user/keys/c3NoLWVk", "this server has no account at ollama.com, and needs none")]
    [InlineData("POST", "/api/experimental/web_search", "web search is unavailable")]
    [InlineData("POST", "/api/experimental/web_fetch", "web fetch is unavailable")]
    public async Task WhatNeedsAnAccount_SaysThatThereIsNone(string method, string path, string reason)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Parse(method), path);

        (await response.ErrorAsync(HttpStatusCode.NotImplemented)).ShouldBe($"ollama cloud is disabled: {reason}");
    }
}
