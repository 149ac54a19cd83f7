using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Tenants;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Security;

/// <summary>What tenants that use one model leave to each other.</summary>
public sealed class SharedModelTests(AzuriteFixture azurite)
{
    private const string Body = """{"model":"demo","messages":[{"role":"user","content":"Hello"}]}""";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Prompt_OfAnotherTenant_IsApartUnlessTheEdgeSaysOtherwise(bool shares)
    {
        await using EdgeServer edge = await SecuredEdge.StartAsync(azurite, options => options.SharePrompts = shares);
        edge.Jobs.Script = job => job.Accept().Say("x").Finish();

        Job first = await AskAsync(edge, "first"), again = await AskAsync(edge, "first"), other = await AskAsync(edge, "second");

        again.Placement.Prefix.ShouldBe(first.Placement.Prefix);
        (other.Placement.Prefix == first.Placement.Prefix).ShouldBe(shares);
        (first.SharesPrompts, other.SharesPrompts).ShouldBe((shares, shares));
    }

    /// <summary>Seconds; null: nothing is said.</summary>
    [Theory]
    [InlineData("user", "600", 600d, true)]
    [InlineData("user", "7200", 3600d, true)]
    [InlineData("user", "-1", 3600d, true)]
    [InlineData("user", "0", null, true)]
    [InlineData("operator", "0", 0d, false)]
    [InlineData("operator", "7200", 7200d, false)]
    [InlineData("operator", "-1", -0.001, false)]
    public async Task KeepAlive_OfWhoDoesNotManageModels_LengthensOnlyAndAsFarAsTheTenantMay(string role, string keepAlive, double? seconds, bool onlyLengthens)
    {
        await using EdgeServer edge = await BoundedAsync();
        (_, string key) = await edge.CreateKeyAsync(new { name = role, role, tenant = "first" });
        edge.Jobs.Script = job => job.Accept().Say("x").Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", $$"""{"model":"demo","prompt":"hi","keep_alive":{{keepAlive}}}""", ("x-api-key", key));

        Job job = (await edge.Jobs.NextAsync()).Job;
        job.KeepAlive.ShouldBe(seconds is { } expected ? TimeSpan.FromSeconds(expected) : null);
        job.OnlyLengthensStay.ShouldBe(onlyLengthens);
    }

    [Fact]
    public async Task Unload_ByWhoDoesNotManageModels_IsAnsweredAlike()
    {
        await using EdgeServer edge = await BoundedAsync();
        (_, string key) = await edge.CreateKeyAsync(new { name = "user", tenant = "first" });
        edge.Jobs.Script = job => job.Finish(FinishReason.Unload);

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", """{"model":"demo","keep_alive":0}""", ("x-api-key", key));

        (await response.TextAsync()).ShouldEndWith("\"done_reason\":\"unload\"}");
        Job job = (await edge.Jobs.NextAsync()).Job;
        (job.UnloadOnly, job.OnlyLengthensStay).ShouldBe((true, true));
    }

    private Task<EdgeServer> BoundedAsync() => SecuredEdge.StartAsync(azurite, more: services =>
        services.Configure<TenantOptions>(options => options.Limits["Default"] = new TenantLimits { MaxKeepAlive = TimeSpan.FromHours(1) }));

    private static async Task<Job> AskAsync(EdgeServer edge, string tenant)
    {
        (_, string key) = await edge.CreateKeyAsync(new { name = tenant, tenant });
        using HttpResponseMessage response = await edge.PostAsync("/api/chat", Body, ("x-api-key", key));
        return (await edge.Jobs.NextAsync()).Job;
    }
}
