using System.Net;
using OllamaMax.Edge.Pulls;

namespace OllamaMax.Edge.Tests.Pulls;

public sealed class BearerChallengeTests
{
    [Theory]
    [InlineData(
        """Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull,push" """,
        "https://auth.example/token?service=reg&scope=repository%3Aa%2Fb%3Apull%2Cpush")]
    [InlineData("""bearer service=reg, realm="https://auth.example/token?x=1" """, "https://auth.example/token?x=1&service=reg")]
    [InlineData("""Bearer realm="/token" """, "https://registry.example/token")]
    public void Find_BearerWithRealm_AddressOfTheToken(string header, string address)
    {
        using HttpResponseMessage response = Response(header.TrimEnd());

        BearerChallenge.Find(response)!.Address.AbsoluteUri.ShouldBe(address);
    }

    [Theory]
    [InlineData("Basic realm=\"x\"")]
    [InlineData("Bearer")]
    [InlineData("Bearer service=\"x\"")]
    public void Find_NothingToAsk_IsNull(string header)
    {
        using HttpResponseMessage response = Response(header);

        BearerChallenge.Find(response).ShouldBeNull();
    }

    private static HttpResponseMessage Response(string header)
    {
        HttpResponseMessage response = new(HttpStatusCode.Unauthorized)
        {
            RequestMessage = new HttpRequestMessage(HttpMethod.Get, "https://registry.example/v2/a"),
        };
        response.Headers.TryAddWithoutValidation("WWW-Authenticate", header);
        return response;
    }
}
