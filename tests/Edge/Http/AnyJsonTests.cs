using System.Text.Json;
using System.Text.Json.Nodes;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.Http;

/// <summary>Requests that are right but for some values, added fields and lost ones: each gets an answer, or an error, in its API's shape.</summary>
public sealed class AnyJsonTests
{
    private const int Requests = 1500;
    /// <summary>Stands in the bodies as <c>{"tool":0}</c>.</summary>
    private const string Tool = """{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{"a":{"type":"integer","minimum":0}},"required":["a"]}}}""";

    private static readonly (string Path, string Body)[] s_right =
    [
        ("/api/chat", """
            {"model":"demo","stream":true,"think":false,"keep_alive":"5m","format":{"type":"object","properties":{"a":{"type":"string"}}},"logprobs":true,"top_logprobs":2,"tools":[{"tool":0}],
             "options":{"num_ctx":512,"num_predict":5,"temperature":0.5,"stop":["x"],"seed":1,"logit_bias":{"5":-1}},
             "messages":[{"role":"system","content":"s"},{"role":"user","content":"u","images":[]},{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},{"role":"tool","tool_name":"f","content":"r"}]}
            """),
        ("/api/generate", """{"model":"demo","prompt":"p","system":"s","suffix":"","template":"{{ messages }}","stream":false,"raw":false,"context":[],"options":{"num_predict":-1,"mirostat":1},"format":"json"}"""),
        ("/api/embed", """{"model":"embed","input":["a","b"],"truncate":true,"dimensions":1,"options":{"num_ctx":10}}"""),
        ("/api/embeddings", """{"model":"embed","prompt":"a","keep_alive":-1}"""),
        ("/api/show", """{"model":"demo","verbose":false}"""),
        ("/v1/chat/completions", """
            {"model":"demo","stream":true,"stream_options":{"include_usage":true},"n":2,"stop":["x","y"],"seed":1,"logit_bias":{"5":-100},"logprobs":true,"top_logprobs":2,"max_completion_tokens":5,
             "temperature":1,"reasoning_effort":"low","tools":[{"tool":0}],"tool_choice":"auto","parallel_tool_calls":false,
             "response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object","properties":{"a":{"enum":["x","y"]}}}}},
             "messages":[{"role":"developer","content":"d"},{"role":"user","content":[{"type":"text","text":"u"}]},
              {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"r"}]}
            """),
        ("/v1/completions", """{"model":"demo","prompt":["a","b"],"max_tokens":3,"n":1,"best_of":1,"echo":false,"logprobs":1,"suffix":"","stream":true}"""),
        ("/v1/embeddings", """{"model":"embed","input":["a"],"encoding_format":"base64","dimensions":2}"""),
        ("/v1/responses", """
            {"model":"demo","input":[{"role":"user","content":[{"type":"input_text","text":"u"}]},{"type":"function_call","id":"x","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"r"}],
             "instructions":"i","stream":true,"store":true,"text":{"format":{"type":"json_object"}},"reasoning":{"effort":"low"},"max_output_tokens":9,"metadata":{"a":"b"},
             "tools":[{"type":"function","name":"f","parameters":{"type":"object"},"strict":false}],"tool_choice":{"type":"function","name":"f"},"truncation":"disabled"}
            """),
        ("/v1/messages", """
            {"model":"demo","max_tokens":2000,"stream":true,"system":[{"type":"text","text":"s"}],"stop_sequences":["x"],"temperature":1,"top_k":5,"thinking":{"type":"disabled"},
             "tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"auto"},"metadata":{"user_id":"u"},
             "messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"r"}]}]}]}
            """),
        ("/v1/messages/count_tokens", """{"model":"demo","system":"s","messages":[{"role":"user","content":"u"}]}"""),
    ];

    private static readonly string[] s_values =
    [
        "null", "true", "false", "0", "-1", "1", "0.5", "1e300", "9007199254740993", "\"\"", "\"x\"", "\"\\u0000\"", "\"\\ud83d\\ude00\"", "\"demo\"", "\"auto\"", "\"none\"", "\"required\"",
        "[]", "[null]", "[[]]", "[\"x\"]", "[1]", "{}", "{\"type\":\"x\"}", "{\"type\":\"text\",\"text\":\"t\"}", "{\"a\":{\"b\":[]}}", "{\"type\":\"json_object\"}", "{\"$ref\":\"#\"}", "{\"pattern\":\"(\"}",
    ];

    [Fact]
    public async Task Answer_ToAnyJson_IsInTheApisShape()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = Answer;
        Random chance = new(5);
        int answered = 0;
        for (int i = 0; i < Requests; i++)
        {
            (string path, string body) = s_right[i % s_right.Length];
            string sent = Changed(body.Replace("{\"tool\":0}", Tool, StringComparison.Ordinal), chance);

            using HttpResponseMessage response = await edge.PostAsync(path, sent);

            string text = await response.TextAsync();
            ((int)response.StatusCode).ShouldBeInRange(200, 499, $"{path} {sent}: {text}");
            answered += response.IsSuccessStatusCode ? 1 : 0;
            foreach (JsonElement one in Objects(response, text))
                ShouldBeOf(path, one, response.IsSuccessStatusCode);
        }
        // Neither all nor none: it is both sides that are looked at.
        answered.ShouldBeInRange(Requests / 10, Requests * 9 / 10);
        edge.Logs.Lines.ShouldNotContain(line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    private static void ShouldBeOf(string path, JsonElement json, bool isAnswer)
    {
        json.ValueKind.ShouldBe(JsonValueKind.Object);
        if (isAnswer)
            return;
        JsonElement error = json.GetProperty("error");
        if (path.StartsWith("/api/", StringComparison.Ordinal))
        {
            error.GetString().ShouldNotBeNullOrEmpty();
            return;
        }
        error.GetProperty("message").GetString().ShouldNotBeNullOrEmpty();
        error.GetProperty("type").GetString().ShouldNotBeNullOrEmpty();
        json.TryGetProperty("request_id", out _).ShouldBe(path.StartsWith("/v1/messages", StringComparison.Ordinal));
        error.TryGetProperty("param", out _).ShouldBe(!path.StartsWith("/v1/messages", StringComparison.Ordinal));
    }

    /// <summary>What the answer is made of: one object, or those of its lines or events.</summary>
    private static IEnumerable<JsonElement> Objects(HttpResponseMessage response, string text)
    {
        switch (response.Content.Headers.ContentType!.MediaType)
        {
            case "application/x-ndjson":
                return text[..^1].Split('\n').Select(line => JsonElement.Parse(line));
            case "text/event-stream":
                return text.Split('\n').Where(line => line.StartsWith("data: {", StringComparison.Ordinal)).Select(line => JsonElement.Parse(line["data: ".Length..]));
            default:
                return [JsonElement.Parse(text)];
        }
    }

    /// <summary>One to three values replaced, fields lost, or fields added.</summary>
    private static string Changed(string body, Random chance)
    {
        JsonNode root = JsonNode.Parse(body)!;
        for (int changes = chance.Next(1, 4); changes > 0; changes--)
        {
            JsonNode[] all = [.. Below(root)];
            JsonNode at = all[chance.Next(all.Length)];
            JsonNode? value = JsonNode.Parse(s_values[chance.Next(s_values.Length)]);
            switch (at, chance.Next(3))
            {
                case (JsonObject { Count: > 0 } fields, 0):
                    fields.Remove(fields.ElementAt(chance.Next(fields.Count)).Key);
                    break;
                case (JsonObject { Count: > 0 } fields, 1):
                    fields[fields.ElementAt(chance.Next(fields.Count)).Key] = value;
                    break;
                case (JsonObject fields, _):
                    fields[chance.Next(2) == 0 ? "x" : "type"] = value;
                    break;
                case (JsonArray items, 0):
                    items.Add(value);
                    break;
                case (JsonArray { Count: > 0 } items, _):
                    items[chance.Next(items.Count)] = value;
                    break;
            }
        }
        return root.ToJsonString();
    }

    /// <summary>All objects and arrays.</summary>
    private static IEnumerable<JsonNode> Below(JsonNode node) => node switch
    {
        JsonObject fields => fields.Select(field => field.Value).OfType<JsonNode>().SelectMany(Below).Prepend(node),
        JsonArray items => items.OfType<JsonNode>().SelectMany(Below).Prepend(node),
        _ => [],
    };

    private static void Answer(StartedJob job)
    {
        job.Accept();
        if (job.Job.LoadOnly)
            job.Finish(FinishReason.Load);
        else if (job.Job.EmbedInputs is { } inputs)
            job.Embed([.. inputs.Select(_ => (float[])[0.6f, 0.8f])]).Finish();
        else
            job.Say("{\"a\":\"x\"}").Finish();
    }
}
