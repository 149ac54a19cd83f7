using System.Text.Json;
using OllamaMax.GpuWorker.Forwarding;
using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Tests.Forwarding;

public sealed class OpenAIMessagesTests
{
    private static readonly ChatImage Png = new("image/png", new byte[] { 0x89 });
    private static readonly ChatImage Gif = new("image/gif", new byte[] { 0x47 });

    [Fact]
    public void Write_ImagesAmongTexts_StandWhereTheyStood() =>
        Write(new ChatMessage("user", "a\nb") { Images = [Png, Gif with { At = 1 }] })
            .ShouldBe("""[{"role":"user","content":["image/png","a","image/gif","b"]}]""");

    [Fact]
    public void Write_ImagesBehindTheText_StandBehindIt() =>
        Write(new ChatMessage("user", "a") { Images = [Png with { At = 1 }, Gif with { At = 1 }] })
            .ShouldBe("""[{"role":"user","content":["a","image/png","image/gif"]}]""");

    [Fact]
    public void Write_Detail_IsHandedOn() =>
        OpenAIMessages.Write([new("user", "") { Images = [Png with { Detail = "low" }, Gif] }], withReasoning: false).ToJsonString()
            .ShouldBe("""[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,iQ==","detail":"low"}},{"type":"image_url","image_url":{"url":"data:image/gif;base64,Rw=="}}]}]""");

    /// <summary>Results have texts only there, and nothing stands between those that belong together.</summary>
    [Fact]
    public void Write_ImagesInResults_FollowTheLastOfThem() =>
        Write(
            new ChatMessage("tool", "p.png") { ToolCallId = "a", Images = [Png with { At = 5 }] },
            new ChatMessage("tool", "") { ToolCallId = "b", Images = [Gif] },
            new ChatMessage("user", "and?"))
            .ShouldBe(
                """[{"role":"tool","content":"p.png\n[An image, which follows.]","tool_call_id":"a"},{"role":"tool","content":"[An image, which follows.]","tool_call_id":"b"},"""
                + """{"role":"user","content":["image/png","image/gif"]},{"role":"user","content":"and?"}]""");

    [Fact]
    public void Write_AResultWithAnImageComesLast_TheImageFollows() =>
        Write(new ChatMessage("tool", "") { ToolCallId = "a", Images = [Png] })
            .ShouldBe("""[{"role":"tool","content":"[An image, which follows.]","tool_call_id":"a"},{"role":"user","content":["image/png"]}]""");

    /// <summary>As JSON, parts as their text or their image's type.</summary>
    private static string Write(params ChatMessage[] messages)
    {
        JsonElement written = JsonElement.Parse(OpenAIMessages.Write(messages, withReasoning: false).ToJsonString());
        return JsonSerializer.Serialize(written.EnumerateArray().Select(message =>
        {
            Dictionary<string, object> shown = message.EnumerateObject().ToDictionary(field => field.Name, field => (object)field.Value);
            if (message.GetProperty("content") is { ValueKind: JsonValueKind.Array } parts)
                shown["content"] = parts.EnumerateArray().Select(Show);
            return shown;
        }));
    }

    private static string? Show(JsonElement part)
    {
        if (part.GetProperty("type").GetString() == "text")
            return part.GetProperty("text").GetString();
        string url = part.GetProperty("image_url").GetProperty("url").GetString()!;
        Convert.FromBase64String(url[(url.IndexOf(',', StringComparison.Ordinal) + 1)..]).ShouldHaveSingleItem();
        return url["data:".Length..url.IndexOf(';', StringComparison.Ordinal)];
    }
}
