using System.Net;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Models;

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

    /// <summary>The command would take no such name where the cloud is off, though the model is here.</summary>
    [Fact]
    public async Task Status_AModelIsNamedLikeOneOfTheClouds_NothingIsOff()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able with { Name = ModelName.Parse("gpt-oss:120b-cloud") });

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, "/api/status");

        (await response.TextAsync()).ShouldBe("""{"cloud":{"disabled":false,"source":"none"}}""");
    }

    [Theory]
    [InlineData("POST", "/api/me", "this server has no account at ollama.com, and needs none: its models are its own, and are not pushed")]
    [InlineData("POST", "/api/signout", "this server has no account at ollama.com, and needs none: its models are its own, and are not pushed")]
    [InlineData("DELETE", "/api/user/keys/c3NoLWVk", "this server has no account at ollama.com, and needs none: its models are its own, and are not pushed")]
    [InlineData("POST", "/api/experimental/web_search", "web search is unavailable")]
    [InlineData("POST", "/api/experimental/web_fetch", "web fetch is unavailable")]
    public async Task WhatNeedsAnAccount_SaysThatThereIsNone(string method, string path, string reason)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Parse(method), path);

        (await response.ErrorAsync(HttpStatusCode.NotImplemented)).ShouldBe($"ollama cloud is disabled: {reason}");
    }
}
