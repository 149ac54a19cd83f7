using System.Net;
using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.OpenAI;

public sealed class ChatRequestTests
{
    private const string Path = "/v1/chat/completions";
    private const string Tools = """ "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}}},{"type":"function","function":{"name":"g"}}]""";

    [Fact]
    public async Task Chat_Request_BecomesTheJob()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync(Path, """
            {
              "model": "demo", "temperature": 0.5, "top_p": 0.25, "presence_penalty": 1, "frequency_penalty": -2, "seed": -7, "stop": "END",
              "max_tokens": 5, "max_completion_tokens": 9, "logit_bias": {"3": -100}, "top_k": 4, "min_p": 0.5, "user": "u", "metadata": {"a": "b"},
              "store": false, "service_tier": "auto", "modalities": ["text"], "verbosity": "low", "prompt_cache_options": {"mode": "explicit"}, "functions": [], "audio": null, "stream_options": null,
              "messages": [
                {"role": "developer", "content": "be brief"},
                {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
                {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "c1", "content": "42"}
              ]
            }
            """);

        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.TextAsync());
        Job job = (await edge.Jobs.NextAsync()).Job;
        job.Prompt.ShouldBe("<system>be brief<user>a\nb<assistant><tool>42<assistant>");
        job.Stop.ShouldBe(["END"]);
        job.Seed.ShouldBe(long.MaxValue - 6UL);
        job.Options.LogitBias.ShouldBe(new Dictionary<int, float> { [3] = -100 });
        (job.Options with { LogitBias = new InferenceOptions().LogitBias }).ShouldBe(new()
        {
            Temperature = 0.5f,
            TopP = 0.25f,
            TopK = 4,
            MinP = 0.5f,
            RepeatPenalty = 1,
            RepeatLastN = -1,
            PresencePenalty = 1,
            FrequencyPenalty = -2,
            NumPredict = 9,
        });
    }

    [Fact]
    public async Task Chat_WhatIsNoTextInAResult_IsSaidToBeLeftOut()
    {
        Job job = await JobOfAsync("""
            "messages":[{"role":"user","content":"a"},{"role":"tool","tool_call_id":"c1","content":[
              {"type":"text","text":"p.png"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0K"}},
              {"type":"image_url","image_url":{"url":"https://a.example/b.png"}},{"type":"file","file":{}},{"type":"input_audio","input_audio":{}}]}]
            """);

        job.Prompt.ShouldEndWith("<tool>p.png\n[An image was left out: this model reads text.]\n[An image was left out: it cannot be read.]\n[A file was left out: this model reads text.]\n[Audio was left out: this model reads text.]<assistant>");
    }

    [Fact]
    public async Task Chat_NothingSaid_SamplesTheModelsOwnDistribution()
    {
        Job job = await JobOfAsync("\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]");

        job.Options.ShouldBe(new() { Temperature = 1, TopP = 1, TopK = 0, RepeatPenalty = 1, RepeatLastN = -1 });
    }

    [Theory]
    [InlineData("\"tool_choice\":\"auto\"", "[f][g]", false)]
    [InlineData("\"tool_choice\":\"none\"", "", false)]
    [InlineData("\"tool_choice\":\"required\"", "[f][g]", true)]
    [InlineData("\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"g\"}}", "[f][g]", true)]
    [InlineData("\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"auto\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"g\"}}]}}", "[g]", false)]
    [InlineData("\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"required\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"g\"}}]}}", "[g]", true)]
    public async Task Chat_ToolChoice_SaysWhatTheAnswerIsHeldTo(string choice, string shown, bool isBound)
    {
        Job job = await JobOfAsync($"\"messages\":[{{\"role\":\"user\",\"content\":\"hi\"}}],\"reasoning_effort\":\"none\",{Tools},{choice}");

        job.Prompt.ShouldBe($"(think False ){shown}<user>hi<assistant>");
        job.Parsing.ToolCalls.ShouldBe(shown.Length > 0 ? ToolCallForm.Hermes : ToolCallForm.None);
        (job.Options.Grammar is not null).ShouldBe(isBound);
        if (isBound)
            job.Options.Grammar!.ShouldStartWith("root ::= calls\n");
    }

    [Fact]
    public async Task Chat_ToolsAndAResponseFormat_AnswerMayBeEither()
    {
        Job job = await JobOfAsync(
            $"\"messages\":[{{\"role\":\"user\",\"content\":\"hi\"}}],\"reasoning_effort\":\"none\",{Tools},\"response_format\":{{\"type\":\"json_object\"}}");

        job.Options.Grammar.ShouldNotBeNull().ShouldStartWith("root ::= calls | answer\n");
    }

    [Theory]
    [InlineData("\"none\"", "(think False )")]
    [InlineData("\"minimal\"", "(think True low)")]
    [InlineData("\"high\"", "(think True high)")]
    [InlineData("\"ultra\"", "(think True high)")]
    [InlineData("null", "(think True )")]
    [InlineData("\"\"", "(think True )")]
    [InlineData("\"low\",\"reasoning\":{\"summary\":\"auto\"}", "(think True low)")]
    [InlineData("\"low\",\"reasoning\":{\"effort\":\"none\"}", "(think False )")]
    [InlineData("null,\"reasoning\":{\"effort\":\"medium\"}", "(think True medium)")]
    public async Task Chat_ReasoningEffort_ReachesTheTemplate(string effort, string shown) =>
        (await JobOfAsync($"\"messages\":[{{\"role\":\"user\",\"content\":\"hi\"}}],\"reasoning_effort\":{effort}")).Prompt.ShouldStartWith(shown);

    [Theory]
    [InlineData("{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\",\"strict\":true,\"schema\":{\"type\":\"object\",\"not\":{}}}}", "response_format.json_schema.schema: #: \"not\"")]
    [InlineData("{\"type\":\"json_schema\"}", "response_format.json_schema is required")]
    [InlineData("{\"type\":\"xml\"}", "response_format.type must be")]
    public async Task Chat_BadResponseFormat_NamesIt(string format, string message) =>
        (await RefusedAsync($"\"response_format\":{format}")).GetProperty("message").GetString()!.ShouldContain(message);

    [Fact]
    public async Task Chat_SchemaThatNoGrammarSays_NotStrict_IsAnyObject()
    {
        Job job = await JobOfAsync(
            "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"reasoning_effort\":\"none\",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\",\"schema\":{\"type\":\"object\",\"not\":{}}}}");

        job.Options.Grammar.ShouldBe(Grammars.JsonGrammar.AnyObject);
    }

    [Theory]
    [InlineData("\"model\":7", "model", "model must be a string")]
    [InlineData("\"messages\":[]", "messages", "at least one message")]
    [InlineData("\"messages\":[{\"role\":\"king\",\"content\":\"x\"}]", "messages[0].role", "must be \"system\"")]
    [InlineData("\"messages\":[{\"role\":\"user\"}]", "messages[0].content", "is required")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":7}]", "messages[0].content", "must be a string or an array")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:\"}}]}]", "messages[0].content[1].image_url.url", "must be a data: URL")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://a.example/b.png\"}}]}]", "messages[0].content[0].image_url.url", "this server fetches nothing")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,!\"}}]}]", "messages[0].content[0].image_url.url", "in base64")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":7}]}]", "messages[0].content[0].image_url", "must be a data: URL")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]", "messages[0].content[0].image_url", "must be a data: URL")]
    [InlineData("\"messages\":[{\"role\":\"system\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:\"}}]}]", "messages[0].content[0].type", "stand in messages of the user's")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":{}}]}]", "messages[0].content[0].type", "\"file\" is not supported")]
    [InlineData("\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]", "messages[0].tool_call_id", "is required")]
    [InlineData("\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"x\"}]}]", "messages[0].tool_calls[0].function.name", "is required")]
    [InlineData("\"temperature\":2.5", "temperature", "must be from 0 to 2")]
    [InlineData("\"n\":0", "n", "must be from 1 to 128")]
    [InlineData("\"stop\":7", "stop", "must be an array")]
    [InlineData("\"max_tokens\":0", "max_tokens", "must be from 1")]
    [InlineData("\"top_logprobs\":2", "top_logprobs", "with \"logprobs\": true")]
    [InlineData("\"logit_bias\":{\"yes\":1}", "logit_bias", "must have token ids as names")]
    [InlineData("\"stream_options\":{\"include_usage\":true}", "stream_options", "with \"stream\": true")]
    [InlineData("\"tool_choice\":\"required\"", "tool_choice", "without tools")]
    [InlineData("\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}", "tool_choice", "not among tools")]
    [InlineData("\"tools\":[{\"type\":\"web_search\"}]", "tools[0].type", "must be \"function\"")]
    [InlineData("\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a b\"}}]", "tools[0].function.name", "letters, digits")]
    [InlineData("\"reasoning_effort\":\"huge\"", "reasoning_effort", "must be \"none\"")]
    [InlineData("\"reasoning\":{\"effort\":\"huge\"}", "reasoning.effort", "must be \"none\"")]
    [InlineData("\"reasoning\":\"high\"", "reasoning", "must be an object")]
    [InlineData("\"store\":true", "store", "must be false")]
    [InlineData("\"prediction\":\"x\"", "prediction", "must be an object")]
    [InlineData("\"prediction\":{\"type\":\"tokens\",\"content\":\"x\"}", "prediction.type", "must be \"content\"")]
    [InlineData("\"prediction\":{\"type\":\"content\"}", "prediction.content", "is required")]
    [InlineData("\"prediction\":{\"type\":\"content\",\"content\":7}", "prediction.content", "must be a string or an array")]
    [InlineData("\"modalities\":[\"audio\"]", "modalities", "must be [\"text\"]")]
    [InlineData("\"functions\":[{}]", "functions", "is not supported")]
    [InlineData("\"verbosity\":\"terse\"", "verbosity", "must be \"low\"")]
    [InlineData("\"prompt_cache_options\":{\"prewarm\":true}", "prompt_cache_options.prewarm", "must be false")]
    [InlineData("\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"auto\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]}}", "tool_choice.allowed_tools.tools[0].name", "must be that of one")]
    [InlineData("\"web_search_options\":{}", "web_search_options", "is not supported")]
    [InlineData("\"someday\":1", "someday", "is not supported")]
    public async Task Chat_BadField_NamesIt(string field, string param, string message)
    {
        JsonElement error = await RefusedAsync(field);

        error.GetProperty("type").GetString().ShouldBe("invalid_request_error");
        error.GetProperty("param").GetString().ShouldBe(param);
        error.GetProperty("message").GetString()!.ShouldContain(message);
    }

    [Fact]
    public async Task Chat_RequiredCallsThatTheModelHasNoFormFor_BadRequest()
    {
        JsonElement error = await RefusedAsync($"{Tools},\"tool_choice\":\"required\"");

        error.GetProperty("param").GetString().ShouldBe("tool_choice");
        error.GetProperty("message").GetString()!.ShouldContain("\"demo\" writes calls in a form that it cannot be held to");
    }

    [Fact]
    public async Task Chat_RequiredCallsInAFormThatNoGrammarWrites_BadRequest()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able with { Template = "{{ '<|tool_call>call:' }}" });

        using HttpResponseMessage response = await edge.PostAsync(
            Path, $$"""{"model":"able","messages":[{"role":"user","content":"hi"}],{{Tools}},"tool_choice":"required"}""");

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await response.TextAsync()).ShouldContain("in a form that it cannot be held to");
    }

    private static async Task<Job> JobOfAsync(string fields)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Finish();
        using HttpResponseMessage response = await edge.PostAsync(Path, $$"""{"model":"able",{{fields}}}""");
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.TextAsync());
        return (await edge.Jobs.NextAsync()).Job;
    }

    /// <summary>The error of a request that is right but for one field.</summary>
    private static async Task<JsonElement> RefusedAsync(string field)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        string name = field[..field.IndexOf(':', StringComparison.Ordinal)];
        string[] others = ["\"model\":\"demo\"", "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"];
        string request = "{" + string.Join(',', others.Where(other => !other.StartsWith(name, StringComparison.Ordinal)).Append(field)) + "}";

        using HttpResponseMessage response = await edge.PostAsync(Path, request);

        string text = await response.TextAsync();
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest, text);
        edge.Jobs.Count.ShouldBe(0);
        return JsonElement.Parse(text).GetProperty("error");
    }
}
