using System.Net;
using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Security;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Security;

public sealed class KeysTests(AzuriteFixture azurite)
{
    private const string Tags = "/api/tags";

    [Fact]
    public async Task Create_Key_IsShownOnceAndLetsIn()
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);

        (string id, string key) = await edge.CreateKeyAsync(new { name = "laptop", tenant = "acme", limits = new { requests_per_minute = 60 } });

        (await edge.StatusAsync(Tags, key)).ShouldBe(HttpStatusCode.OK);
        JsonElement shown = await edge.JsonAsync($"/keys/{id}", SecuredEdge.Admin);
        shown.TryGetProperty("key", out _).ShouldBeFalse();
        shown.GetProperty("role").GetString().ShouldBe("user");
        shown.GetProperty("tenant").GetString().ShouldBe("acme");
        shown.GetProperty("created_by").GetString().ShouldBe("configured");
        shown.GetProperty("limits").GetProperty("requests_per_minute").GetInt32().ShouldBe(60);
        JsonElement list = await edge.JsonAsync("/keys", SecuredEdge.Admin);
        list.GetProperty("keys").EnumerateArray().Select(one => one.GetProperty("id").GetString()).ShouldContain(id);
        list.ToString().ShouldNotContain(key[^64..]);
    }

    [Fact]
    public async Task Change_Key_IsWhatWasSaidAndTheRestStays()
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);
        (string id, string key) = await edge.CreateKeyAsync(new { name = "laptop", models = (string[])["demo"], limits = new { requests_per_minute = 60, concurrent = 2 } });
        (await edge.JsonAsync(Tags, key)).GetProperty("models").GetArrayLength().ShouldBe(1);

        JsonElement changed = await ChangeAsync(edge, id, """{"name":"desktop","models":null,"limits":{"concurrent":null,"tokens_per_day":7},"expires_at":"2999-01-01T00:00:00Z"}""");

        changed.GetProperty("name").GetString().ShouldBe("desktop");
        changed.TryGetProperty("models", out _).ShouldBeFalse();
        changed.GetProperty("limits").GetRawText().ShouldBe("""{"requests_per_minute":60,"tokens_per_day":7}""");
        (await edge.JsonAsync(Tags, key)).GetProperty("models").GetArrayLength().ShouldBeGreaterThan(1);
        changed = await ChangeAsync(edge, id, """{"limits":null,"expires_at":null}""");
        (changed.GetProperty("name").GetString(), changed.GetProperty("limits").GetRawText(), changed.TryGetProperty("expires_at", out _)).ShouldBe(("desktop", "{}", false));
        JsonElement acts = await edge.JsonAsync("/audit?limit=1000", SecuredEdge.Admin);
        acts.GetProperty("records").EnumerateArray().Count(act => act.GetProperty("action").GetString() == "PATCH /keys/{id}" && act.GetProperty("subject").GetString() == id).ShouldBe(2);
    }

    [Fact]
    public async Task Change_KeyThatWasChangedSince_IsRefused()
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);
        (string id, _) = await edge.CreateKeyAsync(new { name = "laptop" });
        using HttpResponseMessage read = await edge.GetAsync($"/keys/{id}", SecuredEdge.Admin);
        string tag = read.Headers.ETag.ShouldNotBeNull().ToString();

        (await ChangedAsync(edge, id, """{"name":"one"}""", ("If-Match", tag))).ShouldBe(HttpStatusCode.OK);
        (await ChangedAsync(edge, id, """{"name":"two"}""", ("If-Match", tag))).ShouldBe(HttpStatusCode.PreconditionFailed);

        (await edge.JsonAsync($"/keys/{id}", SecuredEdge.Admin)).GetProperty("name").GetString().ShouldBe("one");
        using HttpResponseMessage rotated = await edge.PostAsync($"/keys/{id}/rotate", "{}", ("x-api-key", SecuredEdge.Admin), ("If-Match", tag));
        rotated.StatusCode.ShouldBe(HttpStatusCode.PreconditionFailed);
    }

    [Theory]
    [InlineData("user", """{"name":""}""")]
    [InlineData("user", """{"name":null}""")]
    [InlineData("user", """{"role":"admin"}""")]
    [InlineData("user", """{"tenant":"other"}""")]
    [InlineData("user", """{"expires_at":"2001-01-01T00:00:00Z"}""")]
    [InlineData("user", """{"limits":{"concurrent":-1}}""")]
    [InlineData("user", """{"limit":{"concurrent":1}}""")]
    [InlineData("user", """{"limits":{"token_per_day":1}}""")]
    [InlineData("operator", """{"models":["demo"]}""")]
    public async Task Change_ToWhatNoKeyCanBe_IsRefused(string role, string body)
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);
        (string id, _) = await edge.CreateKeyAsync(new { name = "laptop", role });

        (await ChangedAsync(edge, id, body)).ShouldBe(HttpStatusCode.BadRequest);
        (await ChangedAsync(edge, "0123456789abcdef", """{"name":"nobody's"}""")).ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("""{"limit":{"concurrent":1}}""", "limit is none of the fields here: name, models, expires_at, limits")]
    [InlineData("""{"role":"admin"}""", "role cannot be changed; make another key")]
    public async Task Change_OfNoField_SaysWhichThereAre(string body, string message)
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);
        (string id, _) = await edge.CreateKeyAsync(new { name = "laptop" });

        using HttpResponseMessage response = await PatchAsync(edge, id, body);

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldBe(message);
    }

    [Fact]
    public async Task Rotate_MistypedGrace_DoesNotLeaveTheOldSecretGood()
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);
        (string id, _) = await edge.CreateKeyAsync(new { name = "laptop" });

        using HttpResponseMessage response = await edge.PostAsync($"/keys/{id}/rotate", """{"grace":0}""", ("x-api-key", SecuredEdge.Admin));

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldBe("grace is none of the fields here: grace_seconds");
    }

    [Fact]
    public async Task AnyHeader_Key_LetsInAndIsInNoLog()
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);
        (_, string key) = await edge.CreateKeyAsync(new { name = "laptop" });
        string secret = key[^64..];
        string basic = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"anybody:{key}"));

        foreach (var header in new[] { ("Authorization", $"Basic {basic}"), ("x-api-key", key) })
        {
            using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, Tags, null, header);
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        edge.Logs.Lines.ShouldNotBeEmpty();
        edge.Logs.Lines.ShouldAllBe(line => !line.Contains(secret, StringComparison.Ordinal) && !line.Contains(basic, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Key_WrongSecretOrUnknown_IsRefusedWithoutSayingWhich()
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);
        (string id, _) = await edge.CreateKeyAsync(new { name = "laptop" });

        foreach (string wrong in new[] { ApiKey.Create(id).Reveal(), ApiKey.Create().Reveal(), ApiKey.Create(SecuredEdge.Admin[4..20]).Reveal() })
        {
            using HttpResponseMessage response = await edge.GetAsync(Tags, wrong);
            response.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer");
            (await response.ErrorAsync(HttpStatusCode.Unauthorized)).ShouldBe("unauthorized: the key is not known");
        }
    }

    [Fact]
    public async Task Revoke_KeyThatAnotherEdgeKnows_IsRefusedThereWithinFiveSeconds()
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);
        await using EdgeServer other = await SecuredEdge.StartAsync(azurite);
        (string id, string key) = await edge.CreateKeyAsync(new { name = "laptop" });
        (await other.StatusAsync(Tags, key)).ShouldBe(HttpStatusCode.OK);
        (await edge.StatusAsync(Tags, key)).ShouldBe(HttpStatusCode.OK);

        using HttpResponseMessage revoked = await edge.DeleteAsync($"/keys/{id}", SecuredEdge.Admin);

        revoked.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await edge.StatusAsync(Tags, key)).ShouldBe(HttpStatusCode.Unauthorized);
        // Without a look into storage it is still known there: that is what the five seconds are for.
        (await other.StatusAsync(Tags, key)).ShouldBe(HttpStatusCode.OK);
        other.Time.Advance(TimeSpan.FromSeconds(5));
        (await other.StatusAsync(Tags, key)).ShouldBe(HttpStatusCode.Unauthorized);
        (await edge.StatusAsync($"/keys/{id}", SecuredEdge.Admin)).ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Rotate_Key_BothAreGoodForTheGraceTime()
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);
        (string id, string old) = await edge.CreateKeyAsync(new { name = "laptop" });
        (await edge.StatusAsync(Tags, old)).ShouldBe(HttpStatusCode.OK);

        using HttpResponseMessage rotated = await edge.PostAsync($"/keys/{id}/rotate", SecuredEdge.Admin, new { grace_seconds = 60 });

        rotated.Headers.ETag.ShouldNotBeNull();
        string fresh = JsonElement.Parse(await rotated.TextAsync()).GetProperty("key").GetString()!;
        fresh.ShouldNotBe(old);
        (await edge.StatusAsync(Tags, old)).ShouldBe(HttpStatusCode.OK);
        (await edge.StatusAsync(Tags, fresh)).ShouldBe(HttpStatusCode.OK);
        edge.Time.Advance(TimeSpan.FromSeconds(60));
        (await edge.StatusAsync(Tags, old)).ShouldBe(HttpStatusCode.Unauthorized);
        (await edge.StatusAsync(Tags, fresh)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Key_Expired_IsRefused()
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);
        (_, string key) = await edge.CreateKeyAsync(new { name = "laptop", expires_at = edge.Time.GetUtcNow().AddMinutes(1) });

        (await edge.StatusAsync(Tags, key)).ShouldBe(HttpStatusCode.OK);
        edge.Time.Advance(TimeSpan.FromMinutes(1));
        (await edge.StatusAsync(Tags, key)).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("user", "/keys", 403)]
    [InlineData("user", "/metrics", 403)]
    [InlineData("user", Tags, 200)]
    [InlineData("readonly", "/metrics", 200)]
    [InlineData("readonly", "/usage", 200)]
    [InlineData("readonly", "/audit", 403)]
    [InlineData("operator", "/keys", 403)]
    [InlineData("worker", Tags, 403)]
    [InlineData("admin", "/keys", 200)]
    public async Task Get_Role_MayWhatItIsFor(string role, string path, int status)
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);
        (_, string key) = await edge.CreateKeyAsync(new { name = role, role });

        ((int)await edge.StatusAsync(path, key)).ShouldBe(status);
    }

    [Theory]
    [InlineData("""{}""", "name must be 1 to 100 characters")]
    [InlineData("""{"name":"a","role":"root"}""", "role must be one of worker, readonly, user, operator, admin")]
    [InlineData("""{"name":"a","tenant":"a:b"}""", "tenant must be 1 to 64 letters, digits, '-', '_' and '.'")]
    [InlineData("""{"name":"a","models":["a b"]}""", "models: invalid model name 'a b': it has a character in its name that is not allowed there")]
    [InlineData("""{"name":"a","role":"operator","models":["demo"]}""", "models cannot be given to a key of role operator, which manages models")]
    [InlineData("""{"name":"a","expires_at":"2020-01-01T00:00:00Z"}""", "expires_at must be a time to come, such as 2030-01-31T12:00:00Z")]
    [InlineData("""{"name":"a","limits":{"requests_per_minute":-1}}""", "limits.requests_per_minute must be from 0 to 2147483647")]
    [InlineData("""{"name":"a","model":"demo"}""", "model is none of the fields here: name, role, tenant, models, expires_at, limits")]
    [InlineData("""{"name":"a","limits":{"token_per_day":1}}""", "limits.token_per_day is none of the fields here: requests_per_minute, tokens_per_minute, tokens_per_day, tokens_per_month, concurrent")]
    public async Task Create_WrongField_SaysWhich(string body, string message)
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);

        using HttpResponseMessage response = await edge.PostAsync("/keys", body, ("x-api-key", SecuredEdge.Admin));

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldBe(message);
    }

    [Fact]
    public async Task TrustedLoopback_KeyOfOurForm_IsCheckedAndAnyOtherIsNot()
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite, options => options.TrustLoopback = true);

        (await edge.StatusAsync("/keys", key: null)).ShouldBe(HttpStatusCode.OK);
        (await edge.StatusAsync("/keys", "unused")).ShouldBe(HttpStatusCode.OK);
        (await edge.StatusAsync("/keys", ApiKey.Create().Reveal())).ShouldBe(HttpStatusCode.Unauthorized);
        (_, string key) = await edge.CreateKeyAsync(new { name = "less", role = "user" });
        (await edge.StatusAsync("/keys", key)).ShouldBe(HttpStatusCode.Forbidden);
    }

    private static Task<HttpResponseMessage> PatchAsync(EdgeServer edge, string id, string body, params (string, string)[] headers) =>
        edge.SendAsync(HttpMethod.Patch, $"/keys/{id}", new StringContent(body), [("Authorization", $"Bearer {SecuredEdge.Admin}"), .. headers]);

    private static async Task<HttpStatusCode> ChangedAsync(EdgeServer edge, string id, string body, params (string, string)[] headers)
    {
        using HttpResponseMessage response = await PatchAsync(edge, id, body, headers);
        return response.StatusCode;
    }

    private static async Task<JsonElement> ChangeAsync(EdgeServer edge, string id, string body)
    {
        using HttpResponseMessage response = await PatchAsync(edge, id, body);
        string text = await response.TextAsync();
        response.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        return JsonElement.Parse(text);
    }
}
