using System.Net;
using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Security;

public sealed class UsageTests(AzuriteFixture azurite)
{
    private const string Chat = """{"model":"demo","messages":[{"role":"user","content":"x"}],"stream":false}""";

    [Fact]
    public async Task Get_AfterAnswers_CountsThemByKeyModelAndDay()
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);
        edge.Jobs.Script = job => job.Accept().Say("hello").Finish();
        string tenant = $"t-{Guid.NewGuid():n}";
        (string id, string key) = await edge.CreateKeyAsync(new { name = "one", tenant });
        for (int i = 0; i < 2; i++)
            (await ChatAsync(edge, key)).ShouldBe(HttpStatusCode.OK);
        edge.Time.Advance(TimeSpan.FromDays(1));
        (await ChatAsync(edge, key)).ShouldBe(HttpStatusCode.OK);

        JsonElement[] days = await UsageAsync(edge, $"from=2026-01-02&to=2026-01-03&key={id}", key);

        days.Select(day => day.ToString()).ShouldBe(
        [
            $$"""{"day":"2026-01-02","tenant":"{{tenant}}","key":"{{id}}","model":"demo:latest","requests":2,"prompt_tokens":14,"output_tokens":4,"name":"one"}""",
            $$"""{"day":"2026-01-03","tenant":"{{tenant}}","key":"{{id}}","model":"demo:latest","requests":1,"prompt_tokens":7,"output_tokens":2,"name":"one"}""",
        ]);
    }

    [Fact]
    public async Task Get_OtherTenants_AreForWhoGivesOutKeysAlone()
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);
        edge.Jobs.Script = job => job.Accept().Say("hello").Finish();
        string tenant = $"t-{Guid.NewGuid():n}";
        (_, string key) = await edge.CreateKeyAsync(new { name = "one", tenant });
        (_, string stranger) = await edge.CreateKeyAsync(new { name = "two", tenant = $"other-{tenant}" });
        (await ChatAsync(edge, key)).ShouldBe(HttpStatusCode.OK);

        (await UsageAsync(edge, $"tenant={tenant}", stranger)).ShouldBeEmpty();
        (await UsageAsync(edge, $"tenant={tenant}", SecuredEdge.Admin)).Length.ShouldBe(1);
    }

    [Fact]
    public async Task Get_AnswerThatWasCut_CountsWhatCameOfIt()
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);
        edge.Jobs.Script = job => job.Accept().Say("some", tokens: 5).Fail(JobErrorKind.Cancelled, "the client left");
        (string id, string key) = await edge.CreateKeyAsync(new { name = "one" });
        await ChatAsync(edge, key);

        JsonElement usage = (await UsageAsync(edge, $"key={id}", SecuredEdge.Admin)).ShouldHaveSingleItem();

        usage.GetProperty("output_tokens").GetInt32().ShouldBe(5);
        usage.GetProperty("prompt_tokens").GetInt32().ShouldBePositive();
    }

    [Fact]
    public async Task Get_RefusedBeforeAWorkerTookIt_IsNotCounted()
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite);
        edge.Jobs.Script = job => job.Fail(JobErrorKind.Busy, "the server is busy");
        (string id, string key) = await edge.CreateKeyAsync(new { name = "one" });
        (await ChatAsync(edge, key)).ShouldBe(HttpStatusCode.ServiceUnavailable);

        (await UsageAsync(edge, $"key={id}", SecuredEdge.Admin)).ShouldBeEmpty();
    }

    private static async Task<HttpStatusCode> ChatAsync(EdgeServer edge, string key)
    {
        using HttpResponseMessage response = await edge.PostAsync("/api/chat", Chat, ("x-api-key", key));
        return response.StatusCode;
    }

    private static async Task<JsonElement[]> UsageAsync(EdgeServer edge, string query, string key) =>
        [.. (await edge.JsonAsync($"/usage?{query}", key)).GetProperty("usage").EnumerateArray()];
}
