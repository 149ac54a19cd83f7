using System.Net;
using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.OpenAI;

public sealed class CompletionTests
{
    private const string Path = "/v1/completions";

    [Fact]
    public async Task Completion_Prompt_ReachesTheModelAsItIs()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("b").Say("c").Finish(FinishReason.Length);

        using HttpResponseMessage response = await edge.PostAsync(Path, """{"model":"demo","prompt":"a","echo":true}""");

        string text = await response.TextAsync();
        text.ShouldStartWith("{\"id\":\"cmpl-");
        text.ShouldContain("\"object\":\"text_completion\",");
        text.ShouldContain("\"choices\":[{\"index\":0,\"text\":\"abc\",\"logprobs\":null,\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":7,");
        Job job = (await edge.Jobs.NextAsync()).Job;
        job.Prompt.ShouldBe("a");
        job.Options.NumPredict.ShouldBe(16);
    }

    [Fact]
    public async Task Completion_SeveralPromptsAndChoices_AreNumberedPromptByPrompt()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say($"-{job.Job.Prompt}").Finish();

        using HttpResponseMessage response = await edge.PostAsync(Path, """{"model":"demo","prompt":["x","y"],"n":2}""");

        JsonElement answer = JsonElement.Parse(await response.TextAsync());
        answer.GetProperty("choices").EnumerateArray().Select(choice => (choice.GetProperty("index").GetInt32(), choice.GetProperty("text").GetString()))
            .ShouldBe([(0, "-x"), (1, "-x"), (2, "-y"), (3, "-y")]);
        answer.GetProperty("usage").GetProperty("prompt_tokens").GetInt32().ShouldBe(14);
        answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32().ShouldBe(8);
    }

    [Fact]
    public async Task Completion_Streamed_EchoThenTextThenReason()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("b").Finish();

        using HttpResponseMessage response = await edge.PostAsync(Path, """{"model":"demo","prompt":"a","echo":true,"stream":true}""");

        string[] events = await response.EventsAsync();
        events.Length.ShouldBe(4);
        events[0].ShouldEndWith("{\"index\":0,\"text\":\"a\",\"logprobs\":null,\"finish_reason\":null}]}");
        events[1].ShouldEndWith("{\"index\":0,\"text\":\"b\",\"logprobs\":null,\"finish_reason\":null}]}");
        events[2].ShouldEndWith("{\"index\":0,\"text\":\"\",\"logprobs\":null,\"finish_reason\":\"stop\"}]}");
        events[3].ShouldBe("[DONE]");
    }

    [Fact]
    public async Task Completion_Logprobs_AreTheOldForm()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        TokenLogprobs probable = new(-0.5f, [new(1, "a"u8.ToArray(), -0.5f), new(2, [0xC3], -1), new(3, [0xA9], -2)]);
        edge.Jobs.Script = job => job.Accept()
            .Say(new JobOutput.Delta("ab", 1) { Logprobs = [new(1, "ab"u8.ToArray(), probable)] })
            .Say(new JobOutput.Delta("c", 2) { Logprobs = [new(4, "c"u8.ToArray(), new(-1, []))] })
            .Finish();

        using HttpResponseMessage response = await edge.PostAsync(Path, """{"model":"demo","prompt":"x","logprobs":3,"stream":true}""");

        string[] events = await response.EventsAsync();
        events[0].ShouldContain("""logprobs":{"tokens":["ab"],"token_logprobs":[-0.5],"top_logprobs":[{"a":-0.5,"�":-1}],"text_offset":[0]}""");
        events[1].ShouldContain("""logprobs":{"tokens":["c"],"token_logprobs":[-1],"top_logprobs":[{}],"text_offset":[2]}""");
    }

    [Fact]
    public async Task Completion_Suffix_FillsIn()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync(Path, """{"model":"able","prompt":"a","suffix":"z"}""");

        (await edge.Jobs.NextAsync()).Job.Prompt.ShouldBe("<PRE>a<SUF>z<MID>");
    }

    [Theory]
    [InlineData("\"prompt\":[1,2]", "prompt", "arrays of tokens are not supported")]
    [InlineData("\"prompt\":[]", "prompt", "at least one string")]
    [InlineData("\"prompt\":\"x\",\"best_of\":3", "best_of", "must be n")]
    [InlineData("\"prompt\":\"x\",\"echo\":true,\"logprobs\":1", "echo", "does not go with logprobs")]
    [InlineData("\"prompt\":\"x\",\"logprobs\":6", "logprobs", "must be from 0 to 5")]
    [InlineData("\"prompt\":[\"x\",\"y\"],\"n\":100", "prompt", "at most 128 choices")]
    [InlineData("\"prompt\":\"x\",\"tools\":[{}]", "tools", "is not supported")]
    public async Task Completion_BadField_NamesIt(string fields, string param, string message)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync(Path, $$"""{"model":"demo",{{fields}}}""");

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        JsonElement error = JsonElement.Parse(await response.TextAsync()).GetProperty("error");
        error.GetProperty("param").GetString().ShouldBe(param);
        error.GetProperty("message").GetString()!.ShouldContain(message);
    }
}
