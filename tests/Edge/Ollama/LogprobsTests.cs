using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.Ollama;

public sealed class LogprobsTests
{
    private static readonly JobOutput.Delta One = new("é", 1)
    {
        Logprobs = [new(7, [0xC3], new(-0.5f, [])), new(8, [0xA9], new(-0.25f, [new(8, [0xA9], -0.25f), new(9, [], float.NegativeInfinity)]))],
    };

    private const string OneJson = """
        [{"token":"�","logprob":-0.5,"bytes":[195]},{"token":"�","logprob":-0.25,"bytes":[169],"top_logprobs":[{"token":"�","logprob":-0.25,"bytes":[169]},{"token":"","logprob":-3.4028235E+38}]}]
        """;

    [Theory]
    [InlineData("", null)]
    [InlineData(",\"logprobs\":false,\"top_logprobs\":3", null)]
    [InlineData(",\"logprobs\":true", 0)]
    [InlineData(",\"logprobs\":true,\"top_logprobs\":3", 3)]
    public async Task Generate_Logprobs_AreAskedForAsInOllama(string field, int? top)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", $$"""{"model":"demo","prompt":"hi"{{field}}}""");

        (await edge.Jobs.NextAsync()).Job.Options.TopLogprobs.ShouldBe(top);
    }

    [Fact]
    public async Task Chat_Streamed_StandBesideTheirText()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say(One).Finish();

        using HttpResponseMessage response = await edge.PostAsync(
            "/api/chat", """{"model":"demo","messages":[{"role":"user","content":"hi"}],"logprobs":true,"top_logprobs":2}""");

        string[] lines = await response.LinesAsync();
        lines[0].ShouldEndWith($$"""{"role":"assistant","content":"é"},"done":false,"logprobs":{{OneJson}}}""");
        lines[1].ShouldNotContain("logprobs");
    }

    [Fact]
    public async Task Generate_NotStreamed_HasThoseOfAllTokens()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say(One).Say("!", 3).Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", """{"model":"demo","prompt":"hi","logprobs":true,"stream":false}""");

        (await response.TextAsync()).ShouldEndWith($$""","eval_duration":25000000,"logprobs":{{OneJson}}}""");
    }
}
