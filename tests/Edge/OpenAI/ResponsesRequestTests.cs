using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Requests;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Edge.Tests.Templates;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.OpenAI;

public sealed class ResponsesRequestTests
{
    private const string Path = "/v1/responses";

    [Fact]
    public async Task Create_Request_BecomesTheJob()
    {
        Job job = await JobOfAsync("""
            "instructions": "be brief", "temperature": 0.5, "top_p": 0.25, "max_output_tokens": 9, "presence_penalty": 1, "frequency_penalty": -2, "top_logprobs": 0, "user": "u", "metadata": {"a": "b"}, "store": false,
            "truncation": "auto", "prompt_cache_options": {"mode": "implicit", "ttl": "12h", "prewarm": false}, "background_options": {"completion_window": "soonest"}, "include": ["reasoning.encrypted_content"], "text": {"verbosity": "medium", "format": {"type": "text"}}, "prompt": null,
            "input": [
              {"role": "developer", "content": "no jokes"},
              {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]},
              {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "x"},
              {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "so", "annotations": []}]},
              {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"},
              {"type": "function_call", "call_id": "c2", "name": "g", "arguments": "{}"},
              {"type": "function_call_output", "call_id": "c1", "output": "42"},
              {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "43"}]},
              {"role": "assistant", "content": "then"},
              {"role": "assistant", "content": "now"}
            ]
            """);

        job.Prompt.ShouldBe("<system>be brief\n\nno jokes<user>a\nb<assistant>so<tool>42<tool>43<assistant>then\n\nnow");
        job.Options.ShouldBe(new() { Temperature = 0.5f, TopP = 0.25f, TopK = 0, RepeatPenalty = 1, RepeatLastN = -1, PresencePenalty = 1, FrequencyPenalty = -2, NumPredict = 9 });
    }

    [Theory]
    [InlineData("\"text\":{\"format\":{\"type\":\"json_object\"}}")]
    [InlineData("\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"x\",\"strict\":true,\"schema\":{\"type\":\"object\"}}}")]
    public async Task Create_Format_IsAGrammar(string field) => (await JobOfAsync($"\"input\":\"hi\",{field}")).Options.Grammar.ShouldNotBeNullOrEmpty();

    [Fact]
    public async Task Create_Tools_AreInTheFormOfTemplates()
    {
        const string tools = """ "input":"hi","tools":[{"type":"function","name":"f","description":null,"parameters":{"type":"object"},"strict":true},{"type":"function","name":"g"}]""";

        (await JobOfAsync(tools, "able")).Prompt.ShouldEndWith("[f][g]<user>hi<assistant>");
        Job none = await JobOfAsync(tools + ",\"tool_choice\":\"none\"", "able");
        Job named = await JobOfAsync(tools + ",\"tool_choice\":{\"type\":\"function\",\"name\":\"g\"}", "able");

        none.Prompt.ShouldNotContain("[f]");
        named.Options.Grammar!.ShouldContain("g");
    }

    [Theory]
    [InlineData("none", "(think False )")]
    [InlineData("high", "high")]
    public async Task Create_Effort_ReachesTheTemplate(string effort, string shown) =>
        (await JobOfAsync($$"""
            "input":"hi","reasoning":{"effort":"{{effort}}","summary":"auto"}
            """, "able")).Prompt.ShouldContain(shown);

    /// <summary>In the form in which Codex 0.171 sends it, its texts cut.</summary>
    [Fact]
    public async Task Create_RequestOfCodex_BecomesTheJob()
    {
        Job job = await JobOfAsync("""
            "stream": true, "tool_choice": "auto", "parallel_tool_calls": true, "reasoning": {"effort":"medium","summary":"auto"}, "store": false, "include": ["reasoning.encrypted_content"],
            "prompt_cache_key": "01a2", "client_metadata": {"session_id":"01a2"}, "access_programs": ["x"], "context_management": [], "text": {"verbosity":"low"},
            "tools": [
              {"type":"function","name":"exec_command","description":"d","strict":false,"parameters":{"type":"object"}},
              {"type":"custom","name":"apply_patch","description":"Edits.","format":{"type":"grammar","syntax":"lark","definition":"start: x"}},
              {"type":"namespace","name":"multi_agent_v1","description":"d","tools":[{"type":"function","name":"close_agent","strict":false,"parameters":{"type":"object"}}]},
              {"type":"tool_search","execution":"client","description":"d","parameters":{"type":"object"}},
              {"type":"web_search","external_web_access":false}, {"type":"image_generation","output_format":"png"}],
            "input": [
              {"type":"message","id":"msg_1","role":"developer","content":[{"type":"input_text","text":"You are Codex."}]},
              {"type":"message","id":"msg_2","role":"developer","content":[{"type":"input_text","text":"<permissions>"}]},
              {"type":"message","id":"msg_3","role":"user","content":[{"type":"input_text","text":"Read a.txt"}]},
              {"type":"reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text","text":"hm"}],"encrypted_content":"x"},
              {"type":"web_search_call","id":"ws_1","status":"completed","action":{"type":"search","query":"q"}},
              {"type":"tool_search_call","call_id":"c0","status":"completed","execution":"client","arguments":{}},{"type":"tool_search_output","call_id":"c0","status":"completed","execution":"client","tools":[]},
              {"type":"function_call","id":"fc_1","status":"completed","namespace":"multi_agent_v1","name":"close_agent","arguments":"{}","call_id":"c1"},
              {"type":"custom_tool_call","id":"ctc_1","status":"completed","call_id":"c2","name":"apply_patch","input":"*** Begin Patch"},
              {"type":"function_call_output","id":"fco_1","call_id":"c1","output":[{"type":"input_text","text":"p.png"},{"type":"input_image","image_url":"data:image/png;base64,iVBORw0K","detail":"high"}]},
              {"type":"custom_tool_call_output","id":"ctco_1","call_id":"c2","output":"Exit code: 0"},
              {"type":"message","id":"msg_4","role":"developer","content":[{"type":"input_text","text":"<permissions> changed"}]},
              {"type":"message","id":"msg_5","role":"user","content":[{"type":"input_text","text":"and now?"}]}]
            """, "able");

        job.Prompt.ShouldBe(
            "(think True medium)[exec_command][apply_patch][multi_agent_v1__close_agent]<system>You are Codex.\n\n<permissions><user>Read a.txt<assistant>"
            + "<tool>p.png\n[An image was left out: this model reads text.]<tool>Exit code: 0<system><permissions> changed<user>and now?<assistant>");
        job.Parsing.ToolCalls.ShouldBe(ToolCallForm.Hermes);
    }

    [Fact]
    public async Task Create_CallsThatCameBack_AreShownAsTheFunctionsThatTheModelKnows()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync(services: services => services.AddSingleton<IPromptRenderer>(
            _ => TemplateModels.Templates(configure: options => options.RenderTimeout = TimeSpan.FromMinutes(1))));
        edge.Models.Add(FixedModels.Able with { Template = "{% for m in messages %}{% for c in m.tool_calls %}{{ c.function.name }} {{ c.function.arguments | tojson }};{% endfor %}{% endfor %}" });
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync(Path, """
            {"model":"able","input":[{"role":"user","content":"x"},
             {"type":"function_call","namespace":"agents","name":"close","arguments":"{\"a\":1}","call_id":"c1"},
             {"type":"custom_tool_call","call_id":"c2","name":"apply_patch","input":"*** \"a\"\n"}]}
            """);

        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.TextAsync());
        (await edge.Jobs.NextAsync()).Job.Prompt.ShouldBe("agents__close {\"a\": 1};apply_patch {\"input\": \"*** \\\"a\\\"\\n\"};");
    }

    [Fact]
    public async Task Create_CustomToolOrNamespacesThatIsChosen_IsHeldTo()
    {
        const string tools = """ "input":"hi","tools":[{"type":"custom","name":"apply_patch"},{"type":"namespace","name":"agents","tools":[{"type":"function","name":"close"}]},{"type":"web_search"}]""";

        Job custom = await JobOfAsync(tools + ",\"tool_choice\":{\"type\":\"custom\",\"name\":\"apply_patch\"}", "able");
        Job inside = await JobOfAsync(tools + ",\"tool_choice\":{\"type\":\"function\",\"namespace\":\"agents\",\"name\":\"close\"}", "able");

        custom.Options.Grammar!.ShouldContain(InGrammar("apply_patch"));
        inside.Options.Grammar!.ShouldContain(InGrammar("agents__close"));
    }

    private static string InGrammar(string text) => string.Concat(text.Select(letter => $"\\x{(int)letter:X2}"));

    [Theory]
    [InlineData("{}", "model")]
    [InlineData("""{"model":"demo","input":"x","prompt_cache_key":"\ud800"}""", "prompt_cache_key")]
    [InlineData("""{"model":"demo"}""", "input")]
    [InlineData("""{"model":"demo","input":[]}""", "input")]
    [InlineData("""{"model":"demo","input":7}""", "input")]
    [InlineData("""{"model":"demo","input":[7]}""", "input[0]")]
    [InlineData("""{"model":"demo","input":[{"type":5}]}""", "input[0].type")]
    [InlineData("""{"model":"demo","input":[{"type":"computer_call"}]}""", "input[0].type")]
    [InlineData("""{"model":"demo","input":[{"type":"custom_tool_call","name":"f"}]}""", "input[0].call_id")]
    [InlineData("""{"model":"demo","input":[{"role":"tool","content":"x"}]}""", "input[0].role")]
    [InlineData("""{"model":"demo","input":[{"role":"user"}]}""", "input[0].content")]
    [InlineData("""{"model":"demo","input":[{"role":"user","content":[{"type":"input_image","image_url":"data:"}]}]}""", "input[0].content[0].image_url")]
    [InlineData("""{"model":"demo","input":[{"role":"user","content":[{"type":"input_image","file_id":"file-1"}]}]}""", "input[0].content[0].image_url")]
    [InlineData("""{"model":"demo","input":[{"role":"user","content":[{"type":"input_file"}]}]}""", "input[0].content[0].type")]
    [InlineData("""{"model":"demo","input":[{"id":7,"role":"user","content":"x"}]}""", "input[0].id")]
    [InlineData("""{"model":"demo","input":[{"role":"user","content":"\ud800"}]}""", "input[0].content")]
    [InlineData("""{"model":"demo","input":[{"type":"function_call","name":"f"}]}""", "input[0].call_id")]
    [InlineData("""{"model":"demo","input":[{"type":"function_call_output","call_id":"c"}]}""", "input[0].output")]
    [InlineData("""{"model":"demo","input":[{"type":"item_reference"}]}""", "input[0].id")]
    [InlineData("""{"model":"demo","input":"x","tools":[{"type":"file_search"}]}""", "tools[0].type")]
    [InlineData("""{"model":"demo","input":"x","tools":[{"type":"web_search"}],"tool_choice":"required"}""", "tools[0].type")]
    [InlineData("""{"model":"demo","input":"x","tools":[{"type":"web_search"}],"tool_choice":{"type":"web_search"}}""", "tool_choice")]
    [InlineData("""{"model":"demo","input":"x","tools":[{"type":"namespace","name":"n"}]}""", "tools[0].tools")]
    [InlineData("""{"model":"demo","input":"x","tools":[{"type":"namespace","name":"n","tools":[{"type":"namespace","name":"m","tools":[]}]}]}""", "tools[0].tools[0].type")]
    [InlineData("""{"model":"demo","input":"x","tools":[{"type":"custom","name":"no name"}]}""", "tools[0].name")]
    [InlineData("""{"model":"demo","input":"x","tools":[{"type":"custom","name":"f"}],"tool_choice":{"type":"custom","name":"g"}}""", "tool_choice")]
    [InlineData("""{"model":"demo","input":"x","tools":[{"type":"function","function":{"name":"f"}}]}""", "tools[0].name")]
    [InlineData("""{"model":"demo","input":"x","tools":[{"type":"function","name":"f"}],"tool_choice":{"type":"function","name":"g"}}""", "tool_choice")]
    [InlineData("""{"model":"demo","input":"x","text":{"format":{"type":"xml"}}}""", "text.format.type")]
    [InlineData("""{"model":"demo","input":"x","text":{"format":{"type":"json_schema","schema":{}}}}""", "text.format.name")]
    [InlineData("""{"model":"demo","input":"x","text":{"verbosity":"terse"}}""", "text.verbosity")]
    [InlineData("""{"model":"demo","input":"x","reasoning":{"effort":"some"}}""", "reasoning.effort")]
    [InlineData("""{"model":"demo","input":"x","truncation":"some"}""", "truncation")]
    [InlineData("""{"model":"demo","input":"x","prompt_cache_options":{"prewarm":true}}""", "prompt_cache_options.prewarm")]
    [InlineData("""{"model":"demo","input":"x","metadata":{"a":1}}""", "metadata.a")]
    [InlineData("""{"model":"demo","input":"x","background":true,"store":false}""", "background")]
    [InlineData("""{"model":"demo","input":"x","max_output_tokens":0}""", "max_output_tokens")]
    [InlineData("""{"model":"demo","input":"x","top_logprobs":21}""", "top_logprobs")]
    [InlineData("""{"model":"demo","input":"x","conversation":"conv_1"}""", "conversation")]
    [InlineData("""{"model":"demo","input":"x","prompt":{"id":"p"}}""", "prompt")]
    public async Task Create_BadField_IsNamed(string request, string field)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync(Path, request);

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest, await response.TextAsync());
        JsonElement error = JsonElement.Parse(await response.TextAsync()).GetProperty("error");
        error.GetProperty("param").GetString().ShouldBe(field);
        error.GetProperty("message").GetString().ShouldNotBeNullOrEmpty();
        edge.Jobs.Count.ShouldBe(0);
    }

    /// <summary>Fields that make no prompt are not looked at.</summary>
    [Theory]
    [InlineData("""{"model":"demo","input":"Hello Hello Hello"}""", 3)]
    [InlineData("""{"model":"demo","input":[{"role":"user","content":"Hello Hello"}],"instructions":"Hello","max_output_tokens":0,"temperature":"none"}""", 3)]
    public async Task Count_APrompt_CountsItWithoutRunningIt(string request, int least)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage counted = await edge.PostAsync(Path + "/input_tokens", request);

        JsonElement answer = JsonElement.Parse(await counted.TextAsync());
        counted.StatusCode.ShouldBe(HttpStatusCode.OK, answer.ToString());
        answer.GetProperty("object").GetString().ShouldBe("response.input_tokens");
        answer.GetProperty("input_tokens").GetInt32().ShouldBeGreaterThanOrEqualTo(least);
        edge.Jobs.Count.ShouldBe(0);
    }

    [Theory]
    [InlineData("""{"model":"demo"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"model":"demo","input":"x","previous_response_id":"resp_none"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"model":"nope","input":"x"}""", HttpStatusCode.NotFound)]
    public async Task Count_WhatCannotBe_IsRefused(string request, HttpStatusCode status)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage refused = await edge.PostAsync(Path + "/input_tokens", request);

        refused.StatusCode.ShouldBe(status, await refused.TextAsync());
        JsonElement.Parse(await refused.TextAsync()).GetProperty("error").GetProperty("message").GetString().ShouldNotBeNullOrEmpty();
    }

    private static async Task<Job> JobOfAsync(string fields, string model = "demo")
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Finish();
        using HttpResponseMessage response = await edge.PostAsync(Path, $$"""{"model":"{{model}}",{{fields}}}""");
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.TextAsync());
        return (await edge.Jobs.NextAsync()).Job;
    }
}
