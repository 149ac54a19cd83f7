using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Security.Oidc;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Security;

/// <summary>An opaque subject tells nobody who it is; a name may be another's tomorrow. So there are both.</summary>
public sealed class CredentialNamesTests(AzuriteFixture azurite)
{
    [Theory]
    [InlineData("ada@example.org", "ada@example.org")]
    [InlineData("ada\u001b[2J", null)]
    public async Task Usage_AndAudit_OfAUser_NameIdAndName(string claimed, string? shown)
    {
        await using TestIssuer issuer = await TestIssuer.StartAsync();
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite, more: services => services.Configure<OidcOptions>(options =>
        {
            options.Authority = new(issuer.Url);
            options.Audience = TestIssuer.Audience;
            options.DefaultRole = "user";
        }));
        edge.Jobs.Script = job => job.Accept().Say("hello").Finish();
        string subject = $"u-{Guid.NewGuid():n}";
        string token = issuer.Token(edge.Time.GetUtcNow(), token => (token.Claims["sub"], token.Claims["preferred_username"]) = (subject, claimed));

        using HttpResponseMessage chat = await edge.PostAsync("/api/chat", """{"model":"demo","messages":[{"role":"user","content":"x"}],"stream":false}""", ("x-api-key", token));
        chat.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await edge.StatusAsync("/keys", token)).ShouldBe(HttpStatusCode.Forbidden);

        JsonElement use = (await edge.JsonAsync($"/usage?key={subject}", SecuredEdge.Admin)).GetProperty("usage").EnumerateArray().ShouldHaveSingleItem();
        NameIn(use, "name").ShouldBe(shown);
        JsonElement act = (await edge.JsonAsync($"/audit?actor={Uri.EscapeDataString(shown ?? subject)}&newest=true&limit=1", SecuredEdge.Admin)).GetProperty("records").EnumerateArray().ShouldHaveSingleItem();
        (act.GetProperty("actor").GetString(), NameIn(act, "actor_name")).ShouldBe((subject, shown));
    }

    [Fact]
    public async Task Usage_OfAKeyThatIsRevokedSince_HasItsName()
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);
        edge.Jobs.Script = job => job.Accept().Say("hello").Finish();
        (string id, string key) = await edge.CreateKeyAsync(new { name = "laptop" });
        using HttpResponseMessage chat = await edge.PostAsync("/api/chat", """{"model":"demo","messages":[{"role":"user","content":"x"}],"stream":false}""", ("x-api-key", key));
        chat.StatusCode.ShouldBe(HttpStatusCode.OK);
        using HttpResponseMessage revoked = await edge.DeleteAsync($"/keys/{id}", SecuredEdge.Admin);
        revoked.StatusCode.ShouldBe(HttpStatusCode.NoContent);

        JsonElement use = (await edge.JsonAsync($"/usage?key={id}", SecuredEdge.Admin)).GetProperty("usage").EnumerateArray().ShouldHaveSingleItem();
        NameIn(use, "name").ShouldBe("laptop");
    }

    private static string? NameIn(JsonElement json, string name) => json.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;
}
