using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace OllamaMax.Security.Tests;

/// <summary>Every endpoint that the running system says it has, by every role and by nobody.</summary>
public sealed class EndpointAccessTests(KeyedSystemFixture local)
{
    private const string Needs = "Needs the permission ";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EveryEndpoint_EveryRoleAndNone_AnswersWhomItMay()
    {
        JsonElement document = await local.Client.GetFromJsonAsync<JsonElement>("/openapi.json", Cancellation);
        List<string> wrong = [];
        int calls = 0;

        foreach (JsonProperty path in document.GetProperty("paths").EnumerateObject())
        {
            foreach (JsonProperty operation in path.Value.EnumerateObject())
            {
                if (!operation.Value.TryGetProperty("description", out JsonElement description))
                    continue;
                Permissions needed = Enum.Parse<Permissions>(description.GetString()![Needs.Length..].TrimEnd('.'));
                foreach (string? role in (string?[])[.. Roles.Names, null])
                {
                    calls++;
                    int status = await CallAsync(operation.Name, path.Name, role);
                    bool mayCall = role is not null && (Roles.PermissionsOf(Roles.Find(role)!.Value) & needed) == needed;
                    bool isRight = role is null ? status == 401 : mayCall ? status is not (401 or 403) and < 500 or 501 or 503 : status == 403;
                    if (!isRight)
                        wrong.Add($"{operation.Name} {path.Name} as {role ?? "nobody"}: {status}");
                }
            }
        }

        wrong.ShouldBeEmpty();
        calls.ShouldBeGreaterThan(200);
    }

    /// <summary>As a reverse proxy on this machine passes it on: whoever needs a key is not told by a name.</summary>
    [Fact]
    public async Task Request_UnderAnotherName_NeedsItsKeyAlone()
    {
        (await StatusAsync(local.Keys["user"])).ShouldBe(HttpStatusCode.OK);
        (await StatusAsync("omx_0000000000000000_0")).ShouldBe(HttpStatusCode.Unauthorized);

        async Task<HttpStatusCode> StatusAsync(string key)
        {
            using HttpRequestMessage request = new(HttpMethod.Get, "/api/tags") { Headers = { Host = "models.example.org" } };
            request.Headers.Add("x-api-key", key);
            using HttpResponseMessage answer = await local.Client.SendAsync(request, Cancellation);
            return answer.StatusCode;
        }
    }

    /// <summary>With ids that are nobody's and an empty body: who is let in learns that it is none of these.</summary>
    private Task<int> CallAsync(string method, string path, string? role)
    {
        string address = path.Replace("{digest}", "nothing", StringComparison.Ordinal).Replace("{id}", "nothing", StringComparison.Ordinal).Replace("{name}", "nothing", StringComparison.Ordinal);
        HttpContent? content = method is "post" or "put" ? JsonContent.Create(new { }) : null;
        return local.StatusAsync(HttpMethod.Parse(method), address, role is null ? null : local.Keys[role], content);
    }
}
