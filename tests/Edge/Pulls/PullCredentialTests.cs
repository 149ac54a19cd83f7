using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Pulls;
using OllamaMax.Models;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Pulls;

/// <summary>Models that a source does not give to everybody.</summary>
public sealed class PullCredentialTests(AzuriteFixture azurite)
{
    private const string Success = """{"status":"success"}""";
    private const string Secret = "hf_AllThatIsSecretHere";
    private const string Password = "p@ss:word";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static string Basic => $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"puller:{Password}"))}";

    [Fact]
    public async Task Pull_GatedWithAToken_IsThereAndOnlyItsHostWasShownTheToken()
    {
        await using PullServer server = await PullServer.StartAsync(azurite, sources: WithToken);
        string name = PullServer.UniqueName();
        byte[] weights = PullServer.UniqueModel();
        string digest = server.Registry.Add(weights);
        server.Registry.AddManifest($"org/{name}/Q4_K_M", (ModelLayer.Model, digest, weights.Length), server.Registry.Layer(ModelLayer.System, "Be brief."));
        server.Registry.Gate = OnlyWith($"Bearer {Secret}", server.Registry);

        string[] lines = await server.LinesAsync(new { model = $"hf.co/org/{name}:Q4_K_M" });

        lines[^1].ShouldBe(Success);
        (await server.Catalog.FindAsync(ModelName.Parse($"hf.co/org/{name}:Q4_K_M"), Cancel))!.Weights.ShouldBe(digest);
        server.Registry.Shown.Where(request => request.Server == server.Registry.RegistryUrl).ShouldAllBe(request => request.Authorization == $"Bearer {Secret}");
        server.Registry.Shown.Where(request => request.Server == server.Registry.ContentUrl).Select(request => request.Authorization).ShouldBe(["", ""]);
        NothingTells(server, lines, Secret);
    }

    [Fact]
    public async Task Pull_SplitAndGated_PartsComeToo()
    {
        await using PullServer server = await PullServer.StartAsync(azurite, sources: WithToken);
        string name = PullServer.UniqueName();
        server.Registry.AddRepository($"org/{name}", ("m-Q8_0-00001-of-00002.gguf", "GGUF"u8.ToArray()), ("m-Q8_0-00002-of-00002.gguf", "GGUF"u8.ToArray()));
        server.Registry.Gate = OnlyWith($"Bearer {Secret}", server.Registry);

        string[] lines = await server.LinesAsync(new { model = $"hf.co/org/{name}:Q8_0" });

        // What came is no model; that both parts came is what is asked here.
        lines[^1].ShouldContain("error");
        server.Registry.Shown.Where(request => request.Server == server.Registry.ContentUrl).Select(request => request.Authorization).ShouldBe(["", ""]);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    public async Task Pull_GatedWithoutAToken_SaysWhatIsNeededAndAsksOnce(int status)
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        server.Registry.Gate = _ => Results.Json(new { error = "Invalid username or password." }, statusCode: status);
        string host = new Uri(server.Registry.RegistryUrl).Authority;

        string[] lines = await server.LinesAsync(new { model = "hf.co/org/gated:Q4_K_M" });

        ErrorOf(lines).ShouldBe(
            $"pull model manifest: 127.0.0.1 answered {status}: Invalid username or password. It is gated or private, or there is none of that name. To pull it the server needs a token of its own for {host}: "
            + $"OllamaMax__Pull__Sources__0__Host={host} with OllamaMax__Pull__Sources__0__Token, or with OllamaMax__Pull__Sources__0__User and OllamaMax__Pull__Sources__0__Password");
        server.Registry.Shown.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData(401, "The server's token for {0} is not, or no longer, good there: whoever runs the server has to set another")]
    [InlineData(403, "The server's token for {0} does not reach as far as this model")]
    public async Task Pull_TokenIsRefused_SaysSoWithoutIt(int status, string said)
    {
        await using PullServer server = await PullServer.StartAsync(azurite, sources: WithToken);
        // A source that says again what it was shown.
        server.Registry.Gate = context => Results.Json(new { error = $"no such token: {context.Request.Headers.Authorization}" }, statusCode: status);
        string host = new Uri(server.Registry.RegistryUrl).Authority;

        string[] lines = await server.LinesAsync(new { model = "hf.co/org/gated:Q4_K_M" });

        ErrorOf(lines).ShouldBe($"pull model manifest: 127.0.0.1 answered {status}. {string.Format(null, said, host)}");
        server.Registry.Shown.ShouldHaveSingleItem();
        NothingTells(server, lines, Secret);
    }

    [Fact]
    public async Task Pull_RegistryWithTokensForKnownUsers_GetsOneByPassword()
    {
        await using PullServer server = await PullServer.StartAsync(azurite, sources: registry => [new() { Host = HostOf(registry.RegistryUrl), User = "puller", Password = Password }]);
        string name = PullServer.UniqueName();
        server.Registry.AddModel($"library/{name}/latest", PullServer.UniqueModel());
        server.Registry.Gate = context => context.Request.Path == "/token" && context.Request.Headers.Authorization != Basic ? Results.Unauthorized() : null;

        string[] lines = await server.LinesAsync(new { model = name });

        lines[^1].ShouldBe(Success);
        server.Registry.Shown.Where(request => request.Path == "/token").ShouldAllBe(request => request.Authorization == Basic);
        server.Registry.Shown.Where(request => request.Path != "/token").ShouldAllBe(request => request.Authorization == "" || request.Authorization == "Bearer a-token");
        server.Registry.Shown.Where(request => request.Server == server.Registry.ContentUrl).ShouldAllBe(request => request.Authorization == "");
        NothingTells(server, lines, Password, Basic[6..]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Pull_RegistryThatSendsElsewhereForTokens_ThatHostIsShownThePasswordOnlyWhereItIsNamed(bool isNamed)
    {
        await using PullServer server = await PullServer.StartAsync(
            azurite,
            sources: registry => [new() { Host = HostOf(registry.RegistryUrl), User = "puller", Password = Password, TokenHost = isNamed ? HostOf(registry.ContentUrl) : null }]);
        string name = PullServer.UniqueName();
        server.Registry.AddModel($"library/{name}/latest", PullServer.UniqueModel());
        server.Registry.Realm = $"{server.Registry.ContentUrl}/token";

        string[] lines = await server.LinesAsync(new { model = name });

        string[] shown = [.. server.Registry.Shown.Where(request => request.Path == "/token").Select(request => request.Authorization)];
        if (isNamed)
        {
            lines[^1].ShouldBe(Success);
            shown.ShouldAllBe(authorization => authorization == Basic);
        }
        else
        {
            ErrorOf(lines).ShouldBe(
                $"pull model manifest: 127.0.0.1 sends to {HostOf(server.Registry.ContentUrl)} for a token, which is not shown the server's password: no TokenHost of OllamaMax:Pull:Sources says so");
            shown.ShouldBeEmpty();
        }
        NothingTells(server, lines, Password, Basic[6..]);
    }

    [Fact]
    public async Task Pull_PasswordIsWrong_SaysSoWithoutIt()
    {
        await using PullServer server = await PullServer.StartAsync(azurite, sources: registry => [new() { Host = HostOf(registry.RegistryUrl), User = "puller", Password = Password }]);
        server.Registry.Gate = context => context.Request.Path == "/token" ? Results.Json(new { errors = new[] { new { message = $"not {Password}" } } }, statusCode: 401) : null;

        string[] lines = await server.LinesAsync(new { model = PullServer.UniqueName() });

        ErrorOf(lines).ShouldBe(
            $"pull model manifest: 127.0.0.1 answered 401. The server's password for {HostOf(server.Registry.RegistryUrl)} is not, or no longer, good there: whoever runs the server has to set another");
        NothingTells(server, lines, Password, Basic[6..]);
    }

    [Fact]
    public async Task Pull_TokenThatNoHeaderHolds_IsNoneAndIsNotTold()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        server.Registry.Gate = context => context.Request.Path == "/token" ? Results.Json(new { token = "secret\nof theirs" }) : null;

        string[] lines = await server.LinesAsync(new { model = PullServer.UniqueName() });

        ErrorOf(lines).ShouldBe("pull model manifest: 127.0.0.1 answered no token");
        NothingTells(server, lines, "of theirs");
    }

    [Fact]
    public async Task Pull_FileOfAServerThatAsksForAPassword_Comes()
    {
        await using PullServer server = await PullServer.StartAsync(azurite, sources: registry => [new() { Host = HostOf(registry.ContentUrl), User = "puller", Password = Password }]);
        string name = PullServer.UniqueName();
        server.Registry.Replace($"{name}.gguf", PullServer.UniqueModel());
        server.Registry.Gate = context =>
        {
            if (context.Request.Headers.Authorization == Basic)
                return null;
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"models\"";
            return Results.Unauthorized();
        };

        string[] lines = await server.LinesAsync(new { model = name, from = $"{server.Registry.ContentUrl}/content/{name}.gguf" });

        lines[^1].ShouldBe(Success);
    }

    /// <summary>Else anybody's address could have this server fetch, in their name, what only it may have.</summary>
    [Fact]
    public async Task Pull_AnotherHostSendsThere_NothingIsShown()
    {
        await using PullServer server = await PullServer.StartAsync(azurite, sources: WithToken);
        server.Registry.Replace("away", [1]);
        server.Registry.Gate = context => context.Request.Path == "/content/away" ? Results.Redirect($"{server.Registry.RegistryUrl}/org/private/resolve/main/m.gguf") : Results.NotFound();

        string[] lines = await server.LinesAsync(new { model = "any", from = $"{server.Registry.ContentUrl}/content/away?signature={Secret}" });

        ErrorOf(lines).ShouldBe("127.0.0.1 answered 404");
        server.Registry.Shown.Select(request => request.Authorization).ShouldBe(["", ""]);
        NothingTells(server, lines, Secret);
    }

    [Fact]
    public async Task Pull_SignedAddressOfAPage_IsToldWithoutItsSignature()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        server.Registry.Replace("page", "<!doctype html>"u8.ToArray());
        string address = $"{server.Registry.RegistryUrl}/org/repo/resolve/main/page";

        string[] lines = await server.LinesAsync(new { model = "page", from = $"{address}?token={Secret}" });

        ErrorOf(lines).ShouldBe($"{address} is no GGUF file");
        NothingTells(server, lines, Secret, "signature=x");
    }

    private static SourceCredential[] WithToken(FakeRegistry registry) => [new() { Host = HostOf(registry.RegistryUrl), Token = $"{Secret}\n" }];

    private static string HostOf(string url) => new Uri(url).Authority;

    private static Func<HttpContext, IResult?> OnlyWith(string authorization, FakeRegistry registry) => context =>
        context.Request.Headers.Authorization == authorization || $"http://{context.Request.Host}" == registry.ContentUrl ? null : Results.Json(new { error = "Invalid username or password." }, statusCode: 401);

    private static string ErrorOf(string[] lines) => JsonDocument.Parse(lines[^1]).RootElement.GetProperty("error").GetString()!;

    private static void NothingTells(PullServer server, string[] lines, params string[] secrets)
    {
        foreach (string secret in secrets)
        {
            lines.ShouldAllBe(line => !line.Contains(secret, StringComparison.Ordinal));
            server.Edge.Logs.Lines.ShouldAllBe(line => !line.Contains(secret, StringComparison.Ordinal));
        }
    }
}
