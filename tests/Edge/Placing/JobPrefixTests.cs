using OllamaMax.Edge.Tests.Support;
using OllamaMax.Placement;

namespace OllamaMax.Edge.Tests.Placing;

/// <summary>What jobs are placed by, as requests of all kinds come in.</summary>
public sealed class JobPrefixTests
{
    [Fact]
    public async Task Start_TurnsOfAConversation_HaveOnePrefixWhicheverApi()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish();

        PromptPrefix first = await PrefixAsync(edge, "/api/chat", """{"model":"demo","messages":[{"role":"user","content":"Hello"}]}""");
        PromptPrefix later = await PrefixAsync(
            edge, "/v1/chat/completions", """{"model":"demo","messages":[{"role":"user","content":"Hello"},{"role":"assistant","content":"Hi"},{"role":"user","content":"And?"}]}""");
        PromptPrefix other = await PrefixAsync(edge, "/api/chat", """{"model":"demo","messages":[{"role":"user","content":"Goodbye"}]}""");

        first.IsNone.ShouldBeFalse();
        later.ShouldBe(first with { IsContinued = true });
        other.ShouldNotBe(first);
    }

    [Theory]
    [InlineData("/api/generate", """{"model":"demo","prompt":"one text","raw":true}""", """{"model":"demo","prompt":"another","raw":true}""")]
    [InlineData("/api/embed", """{"model":"embed","input":"one text"}""", """{"model":"embed","input":"another"}""")]
    public async Task Start_TextsWithoutTurns_AreToldApart(string path, string one, string other)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("x").Finish();

        (await PrefixAsync(edge, path, one)).ShouldNotBe(await PrefixAsync(edge, path, other));
    }

    private static async Task<PromptPrefix> PrefixAsync(EdgeServer edge, string path, string body)
    {
        using HttpResponseMessage response = await edge.PostAsync(path, body);
        return (await edge.Jobs.NextAsync()).Job.Placement.Prefix;
    }
}
