using System.Net;
using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Http;

public sealed class QueryTests(AzuriteFixture azurite)
{
    [Theory]
    [InlineData("/audit?limit=abc", "limit must be from 1 to 10000")]
    [InlineData("/audit?limit=0", "limit must be from 1 to 10000")]
    [InlineData("/audit?limit=10001", "limit must be from 1 to 10000")]
    [InlineData("/audit?limit=", "limit must be from 1 to 10000")]
    [InlineData("/audit?limit=1&limit=2", "limit must be from 1 to 10000")]
    [InlineData("/audit?newest=yes", "newest must be true or false")]
    [InlineData("/audit?newest", "newest must be true or false")]
    public async Task Get_ParameterThatIsNotWhatItShouldBe_IsNamed(string path, string message)
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);

        using HttpResponseMessage response = await edge.GetAsync(path, SecuredEdge.Admin);

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldBe(message);
    }

    [Fact]
    public async Task Get_FlagAsOtherLanguagesWriteIt_Counts()
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);

        (await edge.StatusAsync("/audit?newest=True&limit=1", SecuredEdge.Admin)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Get_LimitOfAnthropicsModels_IsRefusedInItsShape()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, "/v1/models?limit=many", null, ("anthropic-version", "2023-06-01"));

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        JsonElement.Parse(await response.TextAsync()).GetProperty("error").GetProperty("message").GetString().ShouldBe("limit must be from 1 to 1000");
    }
}
