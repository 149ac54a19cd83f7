using System.Net;
using System.Net.Http.Json;
using OllamaMax.Edge.Pulls;

namespace OllamaMax.Edge.Tests.Pulls;

public sealed class SourceFailureTests
{
    private static readonly Uri Manifest = new("https://hf.co/v2/org/repo/manifests/Q4_K_M");

    [Fact]
    public async Task Of_HuggingFaceWithoutAToken_TellsTheSettingsAndThePage()
    {
        string message = await MessageAsync(new(Manifest, null), Manifest, HttpStatusCode.Unauthorized, "Access to model org/repo is restricted.");

        message.ShouldBe(
            "hf.co answered 401: Access to model org/repo is restricted. It is gated or private, or there is none of that name. To pull it the server needs a token of its own for huggingface.co: "
            + "HF_TOKEN, or OllamaMax__Pull__Sources__0__Host=huggingface.co and OllamaMax__Pull__Sources__0__Token. "
            + "A gated model's terms are accepted at https://huggingface.co/org/repo, by the account that the token is of");
    }

    [Fact]
    public async Task Of_HuggingFaceWithATokenOfWhoMayNot_TellsThePage()
    {
        SourceCredential credential = new() { Host = "huggingface.co", Token = "hf_a" };

        string message = await MessageAsync(new(Manifest, credential), Manifest, HttpStatusCode.Forbidden, null);

        message.ShouldBe(
            "hf.co answered 403. The server's token for huggingface.co does not reach as far as this model. "
            + "A gated model's terms are accepted at https://huggingface.co/org/repo, by the account that the token is of");
    }

    [Fact]
    public async Task Of_WhereContentLies_IsNoQuestionOfTokens() =>
        (await MessageAsync(new(Manifest, null), new("https://cas-bridge.xethub.hf.co/x?signature=y"), HttpStatusCode.Forbidden, null)).ShouldBe("cas-bridge.xethub.hf.co answered 403");

    [Theory]
    [InlineData("https://hf.co/v2/org/repo/manifests/latest", "https://huggingface.co/org/repo")]
    [InlineData("https://huggingface.co/api/models/org/repo/tree/main?recursive=true", "https://huggingface.co/org/repo")]
    [InlineData("https://huggingface.co/org/repo/resolve/main/model.gguf", "https://huggingface.co/org/repo")]
    [InlineData("https://huggingface.co/login", null)]
    [InlineData("https://registry.example/v2/org/repo/manifests/latest", null)]
    public void PageOf_Address_IsItsRepositorys(string address, string? page) => (HuggingFace.PageOf(new(address))?.AbsoluteUri).ShouldBe(page);

    private static async Task<string> MessageAsync(SourceFailure failure, Uri address, HttpStatusCode status, string? error)
    {
        using HttpResponseMessage response = new(status)
        {
            RequestMessage = new(HttpMethod.Get, address),
            Content = error is null ? new StringContent("") : JsonContent.Create(new { error }),
        };
        return (await failure.OfAsync(response, isOfToken: false, TimeSpan.FromSeconds(10), TimeProvider.System, TestContext.Current.CancellationToken)).ShouldBeOfType<PullException>().Message;
    }
}
