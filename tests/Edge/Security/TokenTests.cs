using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.Tokens;
using OllamaMax.Edge.Security;
using OllamaMax.Edge.Security.Oidc;
using OllamaMax.Edge.Tests.Support;

namespace OllamaMax.Edge.Tests.Security;

public sealed class TokenTests
{
    private const string Tags = "/api/tags";

    private static readonly RSA Stranger = RSA.Create(2048);

    [Fact]
    public async Task Token_OfTheIssuer_LetsInWithItsRoleAndTenant()
    {
        await using TestIssuer issuer = await TestIssuer.StartAsync();
        await using EdgeServer edge = await StartAsync(issuer);
        string token = issuer.Token(edge.Time.GetUtcNow());

        (await edge.StatusAsync(Tags, token)).ShouldBe(HttpStatusCode.OK);
        (await edge.StatusAsync("/metrics", token)).ShouldBe(HttpStatusCode.Forbidden);
        Task<HttpResponseMessage> chat = edge.PostAsync("/api/chat", """{"model":"demo","messages":[{"role":"user","content":"x"}],"stream":false}""", ("x-api-key", token));
        StartedJob job = await edge.Jobs.NextAsync();
        (job.Job.Tenant, job.Job.Credential).ShouldBe(("acme", "ada"));
        job.Accept().Finish();
        (await chat).StatusCode.ShouldBe(HttpStatusCode.OK);
        issuer.Reads.ShouldBe(1);
        edge.Logs.Lines.ShouldAllBe(line => !line.Contains(token, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("expired", "the token has expired, or is not yet valid")]
    [InlineData("early", "the token has expired, or is not yet valid")]
    [InlineData("endless", "the token has expired, or is not yet valid")]
    [InlineData("audience", "the token is for another audience")]
    [InlineData("issuer", "the token is of another issuer")]
    [InlineData("forged", "the token is not signed by its issuer")]
    [InlineData("changed", "the token is not signed by its issuer")]
    [InlineData("none", "the token is not signed with an algorithm that is taken")]
    [InlineData("hmac", "the token is not signed with an algorithm that is taken")]
    [InlineData("ps512", "the token is not signed with an algorithm that is taken")]
    [InlineData("rubbish", "the token is not well formed")]
    [InlineData("tenant", "the token names no subject or tenant that can be used")]
    public async Task Token_Wrong_IsRefused(string what, string why)
    {
        await using TestIssuer issuer = await TestIssuer.StartAsync();
        await using EdgeServer edge = await StartAsync(issuer);
        DateTimeOffset now = edge.Time.GetUtcNow();

        using HttpResponseMessage response = await edge.GetAsync(Tags, Make(issuer, what, now));

        (await response.ErrorAsync(HttpStatusCode.Unauthorized)).ShouldBe($"unauthorized: {why}");
    }

    [Fact]
    public async Task Token_WithoutARoleHere_MayNothing()
    {
        await using TestIssuer issuer = await TestIssuer.StartAsync();
        await using EdgeServer edge = await StartAsync(issuer);
        string token = issuer.Token(edge.Time.GetUtcNow(), token => token.Claims["roles"] = "Something.Else");

        using HttpResponseMessage response = await edge.GetAsync(Tags, token);

        (await response.ErrorAsync(HttpStatusCode.Forbidden)).ShouldBe("the token has no role here");
    }

    /// <summary>As Entra writes it of somebody in more than 200 groups.</summary>
    [Fact]
    public async Task Token_GroupsLeftOut_IsToldClearly()
    {
        await using TestIssuer issuer = await TestIssuer.StartAsync();
        await using EdgeServer edge = await StartAsync(issuer, options => options.Groups["interns"] = new() { TokensPerDay = 1 });
        string token = issuer.Token(edge.Time.GetUtcNow(), token => token.Claims["_claim_names"] = new Dictionary<string, object> { ["groups"] = "src1" });

        using HttpResponseMessage response = await edge.GetAsync(Tags, token);

        (await response.ErrorAsync(HttpStatusCode.Forbidden)).ShouldStartWith("the token leaves out 'groups'");
    }

    [Theory]
    [InlineData("oid", "ada", "3c8d", "3c8d")]
    [InlineData("sub", "0123456789abcdef", "3c8d", "user:0123456789abcdef")]
    public async Task Token_CountsForItsSubjectClaim_AndForNoKey(string claim, string sub, string oid, string credential)
    {
        await using TestIssuer issuer = await TestIssuer.StartAsync();
        await using EdgeServer edge = await StartAsync(issuer, options => options.SubjectClaim = claim);
        string token = issuer.Token(edge.Time.GetUtcNow(), token => (token.Claims["sub"], token.Claims["oid"]) = (sub, oid));

        Task<HttpResponseMessage> chat = edge.PostAsync("/api/chat", """{"model":"demo","messages":[{"role":"user","content":"x"}],"stream":false}""", ("x-api-key", token));

        StartedJob job = await edge.Jobs.NextAsync();
        job.Job.Credential.ShouldBe(credential);
        job.Accept().Finish();
        (await chat).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Token_ExpiredWithinTheSkew_LetsIn()
    {
        await using TestIssuer issuer = await TestIssuer.StartAsync();
        await using EdgeServer edge = await StartAsync(issuer);
        string token = issuer.Token(edge.Time.GetUtcNow().AddMinutes(-6));

        (await edge.StatusAsync(Tags, token)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Issuer_RotatesItsKeys_TheNewOneIsFoundAndStrangersDoNotHaveItAskedEachTime()
    {
        await using TestIssuer issuer = await TestIssuer.StartAsync();
        await using EdgeServer edge = await StartAsync(issuer);
        (await edge.StatusAsync(Tags, issuer.Token(edge.Time.GetUtcNow()))).ShouldBe(HttpStatusCode.OK);
        edge.Time.Advance(TimeSpan.FromSeconds(31));

        issuer.Rotate();

        (await edge.StatusAsync(Tags, issuer.Token(edge.Time.GetUtcNow()))).ShouldBe(HttpStatusCode.OK);
        issuer.Reads.ShouldBe(2);
        for (int i = 0; i < 3; i++)
            (await edge.StatusAsync(Tags, Make(issuer, "forged", edge.Time.GetUtcNow()))).ShouldBe(HttpStatusCode.Unauthorized);
        issuer.Reads.ShouldBe(2);
    }

    [Fact]
    public async Task Issuer_Hangs_HoldsNobodyUpWhoseKeyIsKnown()
    {
        await using TestIssuer issuer = await TestIssuer.StartAsync();
        await using EdgeServer edge = await StartAsync(issuer);
        (await edge.StatusAsync(Tags, issuer.Token(edge.Time.GetUtcNow()))).ShouldBe(HttpStatusCode.OK);
        edge.Time.Advance(TimeSpan.FromMinutes(61));
        issuer.Hang();

        for (int i = 0; i < 3; i++)
            (await edge.StatusAsync(Tags, issuer.Token(edge.Time.GetUtcNow()))).ShouldBe(HttpStatusCode.OK);
        await issuer.Asked;
        issuer.GivenUp.ShouldBe(0);

        issuer.Rotate();
        Task<HttpStatusCode> rotated = edge.StatusAsync(Tags, issuer.Token(edge.Time.GetUtcNow()));
        issuer.GoOn();
        (await rotated).ShouldBe(HttpStatusCode.OK);
        issuer.Reads.ShouldBe(2);
    }

    [Fact]
    public async Task Issuer_SaysItIsAnother_IsNotBelieved()
    {
        await using TestIssuer issuer = await TestIssuer.StartAsync();
        issuer.ClaimedIssuer = "https://login.example.org";
        await using EdgeServer edge = await StartAsync(issuer);

        (await edge.StatusAsync(Tags, issuer.Token(edge.Time.GetUtcNow()))).ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    [Theory]
    [InlineData("http://login.example.org", "a", "RS256", "Authority must be an https URL")]
    [InlineData("https://login.example.org", "", "RS256", "Audience is missing")]
    [InlineData("https://login.example.org", "a", "HS256", "'HS256' is not one of")]
    [InlineData("https://login.example.org", "a", "none", "'none' is not one of")]
    public void Options_Unsafe_AreRefused(string authority, string audience, string algorithm, string error)
    {
        OidcOptions options = new() { Authority = new(authority), Audience = audience };
        options.Algorithms.Add(algorithm);

        options.Validate(new(options)).ShouldHaveSingleItem().ErrorMessage!.ShouldContain(error);
    }

    private static Task<EdgeServer> StartAsync(TestIssuer issuer, Action<OidcOptions>? change = null) => EdgeServer.StartAsync(
        options => options.TrustLoopback = false,
        services => services.AddTokens().Configure<OidcOptions>(options =>
        {
            options.Authority = new(issuer.Url);
            options.Audience = TestIssuer.Audience;
            options.Roles["Model.User"] = "user";
            change?.Invoke(options);
        }));

    private static string Make(TestIssuer issuer, string what, DateTimeOffset now) => what switch
    {
        "expired" => issuer.Token(now.AddHours(-1)),
        "early" => issuer.Token(now.AddHours(1)),
        "endless" => issuer.Token(now, token => token.Expires = null),
        "audience" => issuer.Token(now, token => token.Audience = "api://another"),
        "issuer" => issuer.Token(now, token => token.Issuer = "https://login.example.org"),
        // Another's key under the name of the issuer's.
        "forged" => issuer.Token(now, token => token.SigningCredentials = new(new RsaSecurityKey(Stranger) { KeyId = issuer.Key.KeyId }, SecurityAlgorithms.RsaSha256)),
        "changed" => Change(issuer.Token(now)),
        "none" => issuer.Token(now, token => token.SigningCredentials = null),
        // Signed with what everybody knows of the issuer.
        "hmac" => issuer.Token(now, token => token.SigningCredentials = new(new SymmetricSecurityKey(issuer.Key.Rsa.ExportSubjectPublicKeyInfo()) { KeyId = issuer.Key.KeyId }, SecurityAlgorithms.HmacSha256)),
        "ps512" => issuer.Token(now, token => token.SigningCredentials = new(issuer.Key, SecurityAlgorithms.RsaSsaPssSha512)),
        "rubbish" => "eyJ.eyJ.x",
        "tenant" => issuer.Token(now, token => token.Claims["tid"] = "../keys"),
        _ => throw new ArgumentOutOfRangeException(nameof(what)),
    };

    /// <summary>The same signature under other claims.</summary>
    private static string Change(string token)
    {
        string[] parts = token.Split('.');
        string claims = Encoding.UTF8.GetString(Base64UrlEncoder.DecodeBytes(parts[1])).Replace("acme", "evil", StringComparison.Ordinal);
        return $"{parts[0]}.{Base64UrlEncoder.Encode(claims)}.{parts[2]}";
    }
}
