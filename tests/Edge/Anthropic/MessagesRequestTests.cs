using System.Net;
using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;
using OllamaMax.Models.Gguf;
using OllamaMax.Models.Vocabularies;

namespace OllamaMax.Edge.Tests.Anthropic;

public sealed class MessagesRequestTests
{
    private const string Path = "/v1/messages";

    [Fact]
    public async Task Messages_Request_BecomesTheJob()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync(Path, """
            {
              "model": "able", "max_tokens": 30, "temperature": 0.5, "top_p": 0.25, "top_k": 4, "stop_sequences": ["END"],
              "metadata": {"user_id": "u"}, "service_tier": "auto", "context_management": {"edits": []},
              "mcp_servers": [], "diagnostics": {"previous_message_id": null}, "fallbacks": "default",
              "system": [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}],
              "tools": [{"name": "f", "description": "d", "input_schema": {"type": "object"}}, {"type": "custom", "name": "g", "input_schema": {}}],
              "messages": [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": [
                  {"type": "thinking", "thinking": "hm", "signature": "s"},
                  {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}, {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []}, {"type": "text", "text": "b"},
                  {"type": "tool_use", "id": "t1", "name": "f", "input": {"x": "é"}}]},
                {"role": "user", "content": [
                  {"type": "text", "text": "c"},
                  {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "4"}, {"type": "text", "text": "2"}]},
                  {"type": "tool_result", "tool_use_id": "t1", "is_error": true, "content": "no"}]}
              ]
            }
            """);

        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.TextAsync());
        Job job = (await edge.Jobs.NextAsync()).Job;
        job.Prompt.ShouldBe("(think False )[f][g]<system>be brief<user>a<assistant>b<tool>4\n2<tool>Error: no<user>c<assistant>");
        job.Stop.ShouldBe(["END"]);
        job.Options.ShouldBe(new() { NumPredict = 30, Temperature = 0.5f, TopP = 0.25f, TopK = 4, RepeatPenalty = 1 });
    }

    [Theory]
    [InlineData("{\"type\":\"auto\"}", "[f]", false)]
    [InlineData("{\"type\":\"none\"}", "", false)]
    [InlineData("{\"type\":\"any\",\"disable_parallel_tool_use\":true}", "[f]", true)]
    [InlineData("{\"type\":\"tool\",\"name\":\"f\"}", "[f]", true)]
    public async Task Messages_ToolChoice_SaysWhatTheAnswerIsHeldTo(string choice, string shown, bool isBound)
    {
        Job job = await JobOfAsync("\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}],\"tool_choice\":" + choice);

        job.Prompt.ShouldBe($"(think False ){shown}<user>hi<assistant>");
        (job.Options.Grammar is not null).ShouldBe(isBound);
    }

    [Theory]
    [InlineData("{\"type\":\"enabled\",\"budget_tokens\":1024}", "(think True low)")]
    [InlineData("{\"type\":\"enabled\",\"budget_tokens\":20000}", "(think True high)")]
    [InlineData("{\"type\":\"adaptive\"}", "(think True )")]
    [InlineData("{\"type\":\"disabled\"}", "(think False )")]
    public async Task Messages_Thinking_ReachesTheTemplate(string thinking, string shown) =>
        (await JobOfAsync($"\"thinking\":{thinking}")).Prompt.ShouldStartWith(shown);

    [Fact]
    public async Task Messages_OutputFormat_BindsTheAnswer()
    {
        Job job = await JobOfAsync("\"output_config\":{\"effort\":\"low\",\"format\":{\"type\":\"json_schema\",\"schema\":{\"type\":\"object\"}}}");

        job.Options.Grammar.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("\"max_tokens\":null", "max_tokens is required")]
    [InlineData("\"max_tokens\":0", "max_tokens must be from 1")]
    [InlineData("\"messages\":[]", "messages must be an array of at least one")]
    [InlineData("\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]", "messages[0].role must be")]
    [InlineData("\"messages\":[{\"role\":\"user\"}]", "messages[0].content is required")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"assistant\",\"content\":\"y \"}]", "must not end with an assistant's message whose text ends with white space")]
    [InlineData("\"messages\":[{\"role\":\"assistant\",\"content\":\"y\"}],\"thinking\":{\"type\":\"adaptive\"}", "must end with a user's message when thinking is enabled")]
    [InlineData("\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}]}]", "must end with a user's message: calls")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"source\":{}}]}]", "messages[0].content[0].source.data must be an image in base64")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\"}]}]", "messages[0].content[0].source must be an image in base64")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":\"https://a.example/b.png\"}}]}]", "this server fetches nothing")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"AAAA\"}}]}]", "source.data must be a PNG, JPEG, GIF or WebP image")]
    [InlineData("\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"image\",\"source\":{}}]}]", "messages[0].content[0].type \"image\" stands in messages of the user's")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"document\",\"source\":{\"type\":\"base64\",\"media_type\":\"application/pdf\",\"data\":\"AAAA\"}}]}]", "models here read text and images, no PDF")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"document\",\"source\":{\"type\":\"content\"}}]}]", "messages[0].content[0].source.content is required")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"document\",\"source\":{\"type\":\"text\"}}]}]", "messages[0].content[0].source.data is required")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"document\",\"source\":{\"type\":\"content\",\"content\":[{\"type\":\"image\"}]}}]}]", "messages[0].content[0].source.content[0].type must be \"text\" in a document")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"content\":\"x\"}]}]", "messages[0].content[0].tool_use_id is required")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"t\",\"content\":[{\"type\":\"thinking\"}]}]}]", "messages[0].content[0].content[0].type \"thinking\"")]
    [InlineData("\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{\"a\":\"\\ud800\"}}]}]", "messages[0].content[0].input must be valid Unicode")]
    [InlineData("\"system\":7", "system must be a string or an array")]
    [InlineData("\"tools\":[{\"name\":\"f\"}]", "tools[0].input_schema is required")]
    [InlineData("\"tools\":[{\"type\":\"web_search_20250305\",\"name\":\"web_search\"}]", "tools[0].type \"web_search_20250305\" is a tool of Anthropic's servers")]
    [InlineData("\"tool_choice\":{\"type\":\"any\"}", "tool_choice must not be \"any\" without tools")]
    [InlineData("\"tool_choice\":{\"type\":\"tool\",\"name\":\"f\"}", "tool_choice.name must be that of one of the tools")]
    [InlineData("\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":9999}", "thinking.budget_tokens must be less than max_tokens")]
    [InlineData("\"thinking\":{\"type\":\"enabled\"}", "thinking.budget_tokens is required")]
    [InlineData("\"temperature\":1.5", "temperature must be from 0 to 1")]
    [InlineData("\"stop_sequences\":\"x\"", "stop_sequences must be an array")]
    [InlineData("\"mcp_servers\":[{}]", "mcp_servers is not supported")]
    public async Task Messages_BadField_NamesIt(string field, string message)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync(Path, Request(field));

        string text = await response.TextAsync();
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest, text);
        JsonElement error = JsonElement.Parse(text).GetProperty("error");
        error.GetProperty("type").GetString().ShouldBe("invalid_request_error");
        error.GetProperty("message").GetString()!.ShouldContain(message);
        edge.Jobs.Count.ShouldBe(0);
    }

    [Fact]
    public async Task Messages_SearchResults_AreTheirTexts()
    {
        const string found = """{"type":"search_result","source":"https://a.example","title":"A","content":[{"type":"text","text":"x"},{"type":"text","text":"y"}],"citations":{"enabled":true}}""";
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync(Path, Request($$"""
            "messages":[{"role":"user","content":[{{found}},{"type":"text","text":"?"}]},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{} }]},
              {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{{found}}]}]}]
            """));

        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.TextAsync());
        (await edge.Jobs.NextAsync()).Job.Prompt.ShouldEndWith("<user>A\nhttps://a.example\nx\ny\n?<assistant><tool>A\nhttps://a.example\nx\ny<assistant>");
    }

    [Theory]
    [InlineData(""" "source":{"type":"text","media_type":"text/plain","data":"x\ny"},"title":"A","context":"of B","citations":{"enabled":true}""", "A\nof B\nx\ny")]
    [InlineData(""" "source":{"type":"content","content":[{"type":"text","text":"x"},{"type":"text","text":"y"}]},"title":null""", "x\ny")]
    [InlineData(""" "source":{"type":"content","content":"x"}""", "x")]
    public async Task Messages_Documents_AreTheirTexts(string document, string text)
    {
        string block = $$"""{"type":"document",{{document}}}""";
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync(Path, Request($$"""
            "messages":[{"role":"user","content":[{{block}},{"type":"text","text":"?"}]},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{} }]},
              {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{{block}}]}]}]
            """));

        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.TextAsync());
        (await edge.Jobs.NextAsync()).Job.Prompt.ShouldEndWith($"<user>{text}\n?<assistant><tool>{text}<assistant>");
    }

    /// <summary>By these details the tool runner of Anthropic's SDK knows to send its conversations as a whole.</summary>
    [Theory]
    [InlineData("""{"type":"create"}""")]
    [InlineData("""{"type":"continue","previous_message_id":"msg_1"}""")]
    public async Task Messages_Thread_IsRefusedAsClientsKnowIt(string thread)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync(Path, Request($"\"thread\":{thread}"));

        string text = await response.TextAsync();
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest, text);
        JsonElement.Parse(text).GetProperty("error").GetRawText().ShouldBe(
            """{"type":"invalid_request_error","message":"thread is not supported by this server","details":{"error_code":"thread_unsupported_request","unsupported":["thread"]}}""");
    }

    [Fact]
    public async Task CountTokens_VocabularyThatIsKnown_CountsThePromptOfTheTemplate()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Counter = TokenCounter.For(new GgufVocabulary
        {
            Metadata = new Dictionary<string, JsonElement>
            {
                ["tokenizer.ggml.model"] = JsonSerializer.SerializeToElement("gpt2"),
                ["tokenizer.ggml.pre"] = JsonSerializer.SerializeToElement("gpt-2"),
            },
            Tokens = ["<user>", "<assistant>", "H", "e", "l", "o", "He"],
            Types = [3, 3, 1, 1, 1, 1, 1],
            Merges = ["H e"],
        });

        using HttpResponseMessage counted = await edge.PostAsync(Path + "/count_tokens", """{"model":"demo","messages":[{"role":"user","content":"Hello Hello Hello"}]}""");
        using HttpResponseMessage broken = await edge.PostAsync(Path + "/count_tokens", """{"model":"demo","messages":[{"role":"user","content":"break"}]}""");

        // <user> He l l o, twice more with a space that the vocabulary lacks, <assistant>.
        (await counted.TextAsync()).ShouldBe("""{"input_tokens":14}""");
        (await broken.TextAsync()).ShouldBe("""{"input_tokens":6}""");
    }

    [Fact]
    public async Task CountTokens_ConversationThatEndsWithTheAssistant_IsCounted()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync(
            Path + "/count_tokens", """{"model":"demo","messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello, how are you?"}]}""");

        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.TextAsync());
        JsonElement.Parse(await response.TextAsync()).GetProperty("input_tokens").GetInt32().ShouldBePositive();
    }

    [Fact]
    public async Task CountTokens_AnotherKindOfVocabulary_IsEstimatedWithoutAJob()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage little = await edge.PostAsync(Path + "/count_tokens?beta=true", """{"model":"demo","messages":[{"role":"user","content":"Hello, how are you?"}]}""");
        using HttpResponseMessage more = await edge.PostAsync(Path + "/count_tokens", """
            {"model":"demo","system":"be brief","tools":[{"name":"f","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"Hello, how are you?"}]}
            """);
        using HttpResponseMessage unknown = await edge.PostAsync(Path + "/count_tokens", """{"model":"nope","messages":[{"role":"user","content":"x"}]}""");

        (await little.TextAsync()).ShouldBe("""{"input_tokens":11}""");
        JsonElement.Parse(await more.TextAsync()).GetProperty("input_tokens").GetInt32().ShouldBeInRange(30, 60);
        unknown.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        edge.Jobs.Count.ShouldBe(0);
    }

    private static string Request(string field)
    {
        string name = field[..field.IndexOf(':', StringComparison.Ordinal)];
        string[] others = ["\"model\":\"able\"", "\"max_tokens\":3000", "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"];
        return "{" + string.Join(',', others.Where(other => !other.StartsWith(name, StringComparison.Ordinal)).Append(field)) + "}";
    }

    private static async Task<Job> JobOfAsync(string fields)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Finish();
        string request = "{\"model\":\"able\",\"max_tokens\":30000,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]," + fields + "}";
        using HttpResponseMessage response = await edge.PostAsync(Path, request);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.TextAsync());
        return (await edge.Jobs.NextAsync()).Job;
    }
}
