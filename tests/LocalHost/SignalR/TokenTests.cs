using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OllamaMax.SignalR;
using OllamaMax.Streaming;

namespace OllamaMax.LocalHost.SignalR;

public sealed class TokenTests
{
    private const string Query = "?api-version=2022-06-01";

    [Fact]
    public async Task Send_ReplyCapabilityOfOneUser_ReachesThatUserAndNobodyElse()
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        Inbox edge = await harness.ListenAsync("edge-1");
        Inbox other = await harness.ListenAsync("edge-2");
        ReplyCapability reply = harness.Hub.ReplyTo("edge-1", TimeSpan.FromMinutes(1));
        string[] elsewhere =
        [
            reply.Url.Replace("edge-1", "edge-2", StringComparison.Ordinal),
            reply.Url.Replace("edge-1", "EDGE-1", StringComparison.Ordinal),
            reply.Url.Replace("edge-1", "edge%2D1", StringComparison.Ordinal) + "/",
            reply.Url.Replace(":send", ":closeConnections", StringComparison.Ordinal),
            reply.Url.Replace("/users/edge-1", "", StringComparison.Ordinal),
            reply.Url.Replace("/hubs/test", "/hubs/other", StringComparison.Ordinal),
        ];

        foreach (string url in elsewhere)
            (await SendAsync(harness, reply with { Url = url }, "stolen")).ShouldBe(HttpStatusCode.Unauthorized, url);
        (await SendAsync(harness, reply, "reply")).ShouldBeNull();

        (await edge.NextAsync()).ShouldBe("reply");
        await harness.SendAsync("edge-2", "end");
        (await other.TakeUntilAsync("end")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("another key than that of the surface", HttpStatusCode.Unauthorized)]
    [InlineData(null, HttpStatusCode.Accepted)]
    public async Task Send_TokenByKey_TakenOnlyFromTheAccessKey(string? key, HttpStatusCode expected)
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        string url = harness.Connection.Endpoint + "/api/hubs/test/users/u/:send";

        string token = Issue(key ?? harness.AccessKey, url, DateTimeOffset.MaxValue);

        (await PostAsync(harness, url, token, """{"target":"t","arguments":[]}""")).ShouldBe(expected);
    }

    [Fact]
    public async Task Send_TokenBadlySignedOrMissing_Refused()
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        string url = harness.Connection.Endpoint + "/api/hubs/test/users/u/:send";
        string good = Issue(harness.AccessKey, url, DateTimeOffset.MaxValue);
        string unsigned = new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }
            .CreateToken(new SecurityTokenDescriptor { Audience = url, Expires = DateTime.MaxValue });
        string noExpiry = Issue(harness.AccessKey, url, expiresAt: null);

        foreach (string? token in new[] { null, "", "x", good[..^4], good + "x", unsigned, noExpiry })
            (await PostAsync(harness, url, token, """{"target":"t"}""")).ShouldBe(HttpStatusCode.Unauthorized, token);
    }

    [Fact]
    public async Task Send_TokenExpiresWhileRemembered_RefusedFromThenOn()
    {
        FakeTimeProvider time = new(DateTimeOffset.UnixEpoch.AddYears(60));
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync(time: time);
        ReplyCapability reply = harness.Hub.ReplyTo("edge-1", TimeSpan.FromMinutes(1));

        (await SendAsync(harness, reply, "in time")).ShouldBeNull();
        time.SetUtcNow(reply.ExpiresAt);

        (await SendAsync(harness, reply, "late")).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Negotiate_TokenOfAnotherHubOrExpired_ClientRefused()
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        string url = harness.Connection.Endpoint + "/client/?hub=test";
        string negotiate = harness.Connection.Endpoint + "/client/negotiate?hub=test&negotiateVersion=1";
        string otherHub = Issue(harness.AccessKey, url + "2", DateTimeOffset.MaxValue);
        string expired = Issue(harness.AccessKey, url, TimeProvider.System.GetUtcNow().AddMinutes(-10));
        string dataPlane = harness.Hub.ReplyTo("u", TimeSpan.FromMinutes(1)).Token;

        foreach (string token in new[] { otherHub, expired, dataPlane })
            (await PostAsync(harness, negotiate, token, "")).ShouldBe(HttpStatusCode.Unauthorized);
        string good = harness.Hub.Negotiate("u", TimeSpan.FromMinutes(1)).AccessToken;
        (await PostAsync(harness, negotiate, good, "")).ShouldBe(HttpStatusCode.OK);
        (await PostAsync(harness, $"{negotiate}&access_token={good}", null, "")).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Negotiate_TokenOfMicrosoftsSdk_UserKnown()
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        string url = harness.Connection.Endpoint + "/client/?hub=test";
        string token = Issue(harness.AccessKey, url, DateTimeOffset.MaxValue, new() { ["asrs.s.uid"] = "sdk-user" });
        await using Inbox inbox = new(_ => ValueTask.FromResult(new Negotiation(url, token)), HttpTransports.All, harness.Cancel);
        await harness.Surface.WaitForUserAsync("test", "sdk-user", harness.Cancel);

        await harness.SendAsync("sdk-user", "hello");

        (await inbox.NextAsync()).ShouldBe("hello");
    }

    private static async Task<HttpStatusCode?> SendAsync(SurfaceHarness harness, ReplyCapability to, string text) =>
        await harness.Sender.SendAsync(to, "message", text, TestJson.Default.String, harness.Cancel) switch
        {
            SendOutcome.Sent => null,
            SendOutcome.Failed failed => failed.Status,
            SendOutcome other => throw new InvalidOperationException(other.ToString()),
        };

    private static async Task<HttpStatusCode> PostAsync(SurfaceHarness harness, string url, string? token, string body)
    {
        using HttpClient http = new();
        using HttpRequestMessage request = new(HttpMethod.Post, url.Contains('?', StringComparison.Ordinal) ? url : url + Query);
        request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (token is not null)
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        using HttpResponseMessage response = await http.SendAsync(request, harness.Cancel);
        return response.StatusCode;
    }

    private static string Issue(string key, string audience, DateTimeOffset? expiresAt, Dictionary<string, object>? claims = null) =>
        new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Audience = audience,
            // A year that JWT's seconds can hold everywhere.
            Expires = expiresAt is { Year: > 2200 } ? new DateTime(2200, 1, 1, 0, 0, 0, DateTimeKind.Utc) : expiresAt?.UtcDateTime,
            Claims = claims,
            SigningCredentials = new(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(key)), SecurityAlgorithms.HmacSha256),
        });
}
