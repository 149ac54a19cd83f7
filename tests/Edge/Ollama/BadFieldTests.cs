using System.Net;
using OllamaMax.Edge.Tests.Support;

namespace OllamaMax.Edge.Tests.Ollama;

public sealed class BadFieldTests
{
    [Theory]
    [InlineData("\"model\":7", "model must be a string")]
    [InlineData("\"model\":\"\"", "model is required")]
    [InlineData("\"model\":null", "model is required")]
    [InlineData("\"stream\":\"yes\"", "stream must be a boolean")]
    [InlineData("\"messages\":{}", "messages must be an array")]
    [InlineData("\"messages\":[1]", "messages[0] must be an object")]
    [InlineData("\"messages\":[{\"content\":\"x\"}]", "messages[0].role must be a role")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"user\",\"content\":{}}]", "messages[1].content must be a string")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":\"x\",\"images\":[\"aaaa\"]}]", "messages[0].images[0] must be a PNG, JPEG, GIF or WebP image")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":\"x\",\"images\":[\"iVBORw0K\",\"https://a.example/b.png\"]}]", "messages[0].images[1] must be a PNG, JPEG, GIF or WebP image in base64")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":\"x\",\"images\":[\"iVBORw0K\"]}]", "\"demo\" takes no images")]
    [InlineData("\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{}]}]", "messages[0].tool_calls[0].function is required")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800\"}]", "messages[0].content must be valid Unicode text")]
    [InlineData("\"tools\":[{\"type\":\"function\"}]", "tools[0].function is required")]
    [InlineData("\"options\":3", "options must be an object")]
    [InlineData("\"options\":{\"temperature\":\"hot\"}", "options.temperature must be a number")]
    [InlineData("\"options\":{\"temperature\":1e400}", "options.temperature must be from 0 to 100")]
    [InlineData("\"options\":{\"temperature\":-1}", "options.temperature must be from 0 to 100")]
    [InlineData("\"options\":{\"top_p\":2}", "options.top_p must be from 0 to 1")]
    [InlineData("\"options\":{\"repeat_penalty\":0}", "options.repeat_penalty must be from")]
    [InlineData("\"options\":{\"top_k\":4.5}", "options.top_k must be an integer")]
    [InlineData("\"options\":{\"num_predict\":99999999999}", "options.num_predict must be from")]
    [InlineData("\"options\":{\"num_ctx\":-1}", "options.num_ctx must be from 0")]
    [InlineData("\"options\":{\"seed\":1e300}", "options.seed must be an integer")]
    [InlineData("\"options\":{\"stop\":\"x\"}", "options.stop must be an array")]
    [InlineData("\"options\":{\"stop\":[1]}", "options.stop[0] must be a string")]
    [InlineData("\"options\":{\"mirostat\":\"x\"}", "options.mirostat must be an integer")]
    [InlineData("\"options\":{\"use_mmap\":1}", "options.use_mmap must be a boolean")]
    [InlineData("\"format\":\"xml\"", "format must be \"json\" or a JSON Schema")]
    [InlineData("\"format\":[]", "format must be \"json\" or a JSON Schema")]
    [InlineData("\"format\":{\"type\":\"object\",\"not\":{}}", "format: #: \"not\"")]
    [InlineData("\"think\":true", "\"demo\" does not support thinking")]
    [InlineData("\"think\":\"huge\"", "invalid think value: think must be a boolean")]
    [InlineData("\"logprobs\":1", "logprobs must be a boolean")]
    [InlineData("\"shift\":1", "shift must be a boolean")]
    [InlineData("\"_debug_render_only\":1", "_debug_render_only must be a boolean")]
    [InlineData("\"options\":{\"mirostat\":3}", "options.mirostat must be from 0 to 2")]
    [InlineData("\"options\":{\"typical_p\":-1}", "options.typical_p must be from 0")]
    [InlineData("\"options\":{\"num_keep\":-2}", "options.num_keep must be from -1")]
    [InlineData("\"options\":{\"logit_bias\":{\"yes\":1}}", "options.logit_bias must have token ids as names")]
    [InlineData("\"options\":{\"logit_bias\":{\"\\ud800\":1}}", "options.logit_bias has a field whose name is not valid Unicode")]
    [InlineData("\"options\":{\"logit_bias\":{\"7\":101}}", "options.logit_bias.7 must be from -100 to 100")]
    [InlineData("\"think\":3", "think must be a boolean")]
    [InlineData("\"top_logprobs\":21", "top_logprobs must be from 0 to 20")]
    [InlineData("\"keep_alive\":\"soon\"", "keep_alive must be a duration")]
    [InlineData("\"keep_alive\":[]", "keep_alive must be a number")]
    public async Task Chat_BadField_BadRequestNamingIt(string field, string message)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        string name = field[..field.IndexOf(':', StringComparison.Ordinal)];
        string[] others = ["\"model\":\"demo\"", "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"];
        string request = "{" + string.Join(',', others.Where(other => !other.StartsWith(name, StringComparison.Ordinal)).Append(field)) + "}";

        using HttpResponseMessage response = await edge.PostAsync("/api/chat", request);

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldContain(message);
        edge.Jobs.Count.ShouldBe(0);
    }

    [Theory]
    [InlineData("\"suffix\":\"x\"", "\"demo\" does not support insert")]
    [InlineData("\"suffix\":\"x\",\"system\":\"y\"", "suffix does not go with raw, system or template")]
    [InlineData("\"suffix\":\"x\",\"raw\":true", "suffix does not go with raw, system or template")]
    [InlineData("\"raw\":true,\"template\":\"x\"", "raw mode does not support")]
    [InlineData("\"template\":7", "template must be a string")]
    [InlineData("\"template\":\"{{ .Prompt }}\"", "template must be a Jinja template")]
    [InlineData("\"template\":\"a {{- if .System }}b{{ end }}\"", "template must be a Jinja template")]
    [InlineData("\"template\":\"{{- range $i, $_ := .Messages }}\"", "template must be a Jinja template")]
    [InlineData("\"context\":[1]", "context is none that this server has given")]
    [InlineData("\"context\":[1.5]", "context must be an array of integers")]
    [InlineData("\"context\":\"x\"", "context must be an array")]
    [InlineData("\"images\":[\"aaaa\"]", "images[0] must be a PNG, JPEG, GIF or WebP image")]
    [InlineData("\"images\":[\"iVBORw0K\"]", "\"demo\" takes no images")]
    [InlineData("\"images\":[\"iVBORw0K\"],\"raw\":true", "images do not go with raw or suffix")]
    [InlineData("\"raw\":true,\"system\":\"x\"", "raw mode does not support")]
    [InlineData("\"prompt\":[]", "prompt must be a string")]
    public async Task Generate_BadField_BadRequestNamingIt(string field, string message)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", $$"""{"model":"demo","prompt":"hi",{{field}}}""");

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldContain(message);
    }

    [Fact]
    public async Task Chat_ToolsForModelWithoutThem_BadRequest()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync("/api/chat", """
            {"model":"plain","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f"}}]}
            """);

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldBe("\"plain\" does not support tools");
    }
}
