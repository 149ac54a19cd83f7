using System.Net;
using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Security;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Security;

public sealed class AuditTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task Keys_MadeAndRevoked_EachIsAnActWithItsSubject()
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);
        string name = $"admin-{Guid.NewGuid():n}";
        (string adminId, string admin) = await edge.CreateKeyAsync(new { name, role = "admin", tenant = "acme" });
        using HttpResponseMessage made = await edge.PostAsync("/keys", admin, new { name = "laptop" });
        string id = JsonElement.Parse(await made.TextAsync()).GetProperty("id").GetString()!;
        using HttpResponseMessage revoked = await edge.DeleteAsync($"/keys/{id}", admin);
        using HttpResponseMessage again = await edge.DeleteAsync($"/keys/{id}", admin);

        JsonElement[] records = await RecordsAsync(edge, $"actor={name}");

        records.Select(record => (Text(record, "action"), Text(record, "subject"), record.GetProperty("status").GetInt32()))
            .ShouldBe([("POST /keys", id, 201), ("DELETE /keys/{id}", id, 204), ("DELETE /keys/{id}", id, 404)]);
        records.ShouldAllBe(record => Text(record, "tenant") == "acme" && Text(record, "credential") == adminId && Text(record, "from") == "127.0.0.1");
        Text(records[0], "request_id").ShouldBe(made.Headers.GetValues("x-request-id").Single());
        (await RecordsAsync(edge, $"actor={adminId}")).Length.ShouldBe(3);
    }

    [Fact]
    public async Task Calls_Denied_AreRecordedAndNothingElseIs()
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);
        string name = $"user-{Guid.NewGuid():n}";
        (_, string key) = await edge.CreateKeyAsync(new { name });

        (await edge.StatusAsync("/api/tags", key)).ShouldBe(HttpStatusCode.OK);
        (await edge.StatusAsync("/keys", key)).ShouldBe(HttpStatusCode.Forbidden);
        using HttpResponseMessage unknown = await edge.SendAsync(
            HttpMethod.Get, "/v1/models", null, ("x-api-key", ApiKey.Create().Reveal()), ("x-request-id", name));

        (await RecordsAsync(edge, $"actor={name}")).Select(record => Text(record, "action")).ShouldBe(["GET /keys"]);
        JsonElement stranger = (await RecordsAsync(edge, "limit=10000")).Single(record => Text(record, "request_id") == name);
        Text(stranger, "actor").ShouldBe("");
        stranger.GetProperty("status").GetInt32().ShouldBe(401);
    }

    [Fact]
    public async Task Get_TheNewestBelowALimit_LeavesTheOldestOut()
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);
        string name = $"admin-{Guid.NewGuid():n}";
        (_, string admin) = await edge.CreateKeyAsync(new { name, role = "admin" });
        foreach (string id in (string[])["first", "second", "third"])
            (await edge.DeleteAsync($"/keys/{id}", admin)).Dispose();

        (await SubjectsAsync("limit=2")).ShouldBe(["first", "second"]);
        (await SubjectsAsync("limit=2&newest=true")).ShouldBe(["third", "second"]);
        (await SubjectsAsync("newest=true")).ShouldBe(["third", "second", "first"]);

        async Task<IEnumerable<string?>> SubjectsAsync(string query) => (await RecordsAsync(edge, $"actor={name}&{query}")).Select(record => Text(record, "subject"));
    }

    [Theory]
    [InlineData("from=yesterday")]
    [InlineData("from=2020-01-01T00:00:00Z")]
    public async Task Get_TimesThatCannotBe_AreRefused(string query)
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);

        (await edge.StatusAsync($"/audit?{query}", SecuredEdge.Admin)).ShouldBe(HttpStatusCode.BadRequest);
    }

    private static async Task<JsonElement[]> RecordsAsync(EdgeServer edge, string query) =>
        [.. (await edge.JsonAsync($"/audit?{query}", SecuredEdge.Admin)).GetProperty("records").EnumerateArray()];

    private static string? Text(JsonElement record, string name) => record.GetProperty(name).GetString();
}
