using System.Net;
using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;
using OllamaMax.Models;

namespace OllamaMax.Edge.Tests.Requests;

/// <summary>What becomes of images in each API's requests.</summary>
public sealed class ImageTests
{
    private const string Png = "iVBORw0KGgo=";
    private const string Gif = "R0lGODlhAQABAA==";
    private const string Jpeg = "/9j/4AAQ";
    private const string Webp = "UklGRgAAAABXRUJQ";

    private static readonly ForwardedModel Seeing = new() { Kind = "vllm", Model = "far", Name = "far", Capabilities = ["completion", "tools", "vision"], TakesImages = true };

    [Theory]
    [InlineData("/api/chat", $$"""{"model":"far","messages":[{"role":"user","content":"a\nb","images":["{{Gif}}","{{Png}}"]}]}""", 0)]
    [InlineData("/api/generate", $$"""{"model":"far","prompt":"a\nb","images":["{{Gif}}","{{Png}}"]}""", 0)]
    [InlineData("/v1/chat/completions", $$$$"""{"model":"far","messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/gif;base64,{{{{Gif}}}}","detail":"low"}},{"type":"image_url","image_url":{"url":"DATA:;x=y;BASE64,{{{{Png}}}}"}},{"type":"text","text":"b"}]}]}""", 1)]
    [InlineData("/v1/responses", $$"""{"model":"far","input":[{"role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image","image_url":"data:image/gif;base64,{{Gif}}"},{"type":"input_image","image_url":"data:image/png;base64,{{Png}}"},{"type":"input_text","text":"b"}]}]}""", 1)]
    [InlineData("/v1/messages", $$$$"""{"model":"far","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image","source":{"type":"base64","media_type":"image/gif","data":"{{{{Gif}}}}"}},{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"{{{{Png}}}}"}},{"type":"text","text":"b"}]}]}""", 1)]
    public async Task Request_Images_AreInTheJobAndKnowWhereTheyStand(string path, string body, int at)
    {
        Job job = await JobAsync(path, body);

        ChatMessage message = job.Forward.ShouldNotBeNull().Messages.ShouldHaveSingleItem();
        message.Content.ShouldBe("a\nb");
        message.Images.Select(image => (image.MediaType, Convert.ToBase64String(image.Data.Span), image.At)).ShouldBe([("image/gif", Gif, at), ("image/png", Png, at)]);
        job.Placement.Rule.ImagesFor.ShouldBe(Seeing.Digest);
    }

    [Theory]
    [InlineData(Png, "image/png")]
    [InlineData(Gif, "image/gif")]
    [InlineData(Jpeg, "image/jpeg")]
    [InlineData(Webp, "image/webp")]
    public async Task Request_WhateverItIsCalled_AnImageIsWhatItsBytesAre(string base64, string type)
    {
        Job job = await JobAsync("/v1/chat/completions", Chat($"data:application/pdf;base64,{base64}"));

        job.Forward!.Messages[0].Images.ShouldHaveSingleItem().MediaType.ShouldBe(type);
    }

    [Fact]
    public async Task Generate_ImageWithoutAPrompt_IsAnswered() =>
        (await JobAsync("/api/generate", $$"""{"model":"far","images":["{{Png}}"]}""")).Forward!.Messages.ShouldHaveSingleItem().Images.Count.ShouldBe(1);

    [Fact]
    public async Task Chat_Detail_IsKept() =>
        (await JobAsync("/v1/chat/completions", Chat($"data:image/png;base64,{Png}\",\"detail\":\"low"))).Forward!.Messages[0].Images[0].Detail.ShouldBe("low");

    [Fact]
    public async Task Request_WithoutImages_MayRunAnywhere() =>
        (await JobAsync("/api/chat", """{"model":"far","messages":[{"role":"user","content":"a"}]}""")).Placement.Rule.ImagesFor.ShouldBeNull();

    [Theory]
    [InlineData("/v1/chat/completions", $$$$"""{"role":"tool","tool_call_id":"c","content":[{"type":"text","text":"p.png"},{"type":"image_url","image_url":{"url":"data:image/png;base64,{{{{Png}}}}"}}]}""", "p.png", 5)]
    [InlineData("/v1/messages", $$$$"""{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","is_error":true,"content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"{{{{Png}}}}"}},{"type":"text","text":"p.png"}]}]}""", "Error: p.png", 7)]
    public async Task Request_ImageInAResult_IsShown(string path, string result, string content, int at)
    {
        Job job = await JobAsync(path, $$"""{"model":"far","max_tokens":9,"messages":[{"role":"user","content":"look"},{{result}}]}""");

        ChatMessage message = job.Forward!.Messages[^1];
        (message.Role, message.Content).ShouldBe(("tool", content));
        message.Images.ShouldHaveSingleItem().At.ShouldBe(at);
    }

    [Fact]
    public async Task Request_ImageInAResult_OfAModelThatTakesNone_IsSaidToBeLeftOut()
    {
        const string body = $$$$"""{"model":"far","messages":[{"role":"user","content":"look"},{"role":"tool","tool_call_id":"c","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,{{{{Png}}}}"}},{"type":"text","text":"b"}]}]}""";

        Job job = await JobAsync("/v1/chat/completions", body, Seeing with { TakesImages = false });

        job.Forward!.Messages[^1].Content.ShouldBe("a\n[An image was left out: this model reads text.]\nb");
        job.Forward.HasImages.ShouldBeFalse();
    }

    [Theory]
    [InlineData(false, "\"far\" takes no images")]
    [InlineData(null, "\"far\" takes no images yet: its worker is of a version that does not hand them on")]
    public async Task Request_ModelOrWorkerCannot_IsA400InEachApisShape(bool? takesImages, string message)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        Add(edge, Seeing with { TakesImages = takesImages });

        using HttpResponseMessage ollama = await edge.PostAsync("/api/chat", $$"""{"model":"far","messages":[{"role":"user","content":"a","images":["{{Png}}"]}]}""");
        using HttpResponseMessage openai = await edge.PostAsync("/v1/chat/completions", Chat($"data:image/png;base64,{Png}"));
        using HttpResponseMessage anthropic = await edge.PostAsync(
            "/v1/messages", $$$"""{"model":"far","max_tokens":9,"stream":true,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"{{{Png}}}"}}]}]}""");

        (await ErrorAsync(ollama)).GetString().ShouldBe(message);
        (await ErrorAsync(openai)).GetProperty("message").GetString().ShouldBe(message);
        (await ErrorAsync(anthropic)).GetProperty("message").GetString().ShouldBe(message);
        edge.Jobs.Count.ShouldBe(0);
    }

    [Fact]
    public async Task Request_TooManyOrTooLarge_IsA400ThatSaysHowMany()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync(options => (options.MaxImages, options.MaxImageBytes) = (2, 1024));
        Add(edge, Seeing);

        using HttpResponseMessage many = await edge.PostAsync("/api/chat", $$"""{"model":"far","messages":[{"role":"user","images":["{{Png}}"]},{"role":"user","images":["{{Png}}","{{Gif}}"]}]}""");
        using HttpResponseMessage large = await edge.PostAsync(
            "/v1/chat/completions", Chat($"data:image/png;base64,{Convert.ToBase64String([.. Convert.FromBase64String(Png), .. new byte[1017]])}"));

        (await ErrorAsync(many)).GetString().ShouldBe("the request has 3 images: it may have 2");
        (await ErrorAsync(large)).GetProperty("message").GetString().ShouldBe("the request has an image of 1025 bytes: one may have 1024");
    }

    /// <summary>What images come to only their server knows.</summary>
    [Theory]
    [InlineData("far", 1000, 1100)]
    [InlineData("demo", 1, 100)]
    public async Task CountTokens_Images_AreEstimatedWhereTheModelTakesThem(string model, int least, int most)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        Add(edge, Seeing);

        using HttpResponseMessage response = await edge.PostAsync(
            "/v1/messages/count_tokens", $$$"""{"model":"{{{model}}}","messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"{{{Png}}}"}}]}]}""");

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        JsonElement.Parse(await response.TextAsync()).GetProperty("input_tokens").GetInt32().ShouldBeInRange(least, most);
    }

    /// <summary>Images do not come back with each answer; the conversation does.</summary>
    [Fact]
    public async Task Generate_Context_HasTheTurnsWithoutImages()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        Add(edge, Seeing);
        edge.Jobs.Script = job => job.Accept().Say("a cat").Finish();
        using HttpResponseMessage first = await edge.PostAsync("/api/generate", $$"""{"model":"far","prompt":"what is it?","stream":false,"images":["{{Png}}"]}""");
        string context = JsonElement.Parse(await first.TextAsync()).GetProperty("context").GetRawText();
        await edge.Jobs.NextAsync();

        using HttpResponseMessage second = await edge.PostAsync("/api/generate", $$"""{"model":"far","prompt":"sure?","stream":false,"context":{{context}}}""");

        second.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await edge.Jobs.NextAsync()).Job.Forward!.Messages.Select(message => message.Content).ShouldBe(["what is it?", "a cat", "sure?"]);
    }

    private static string Chat(string url) => $$$$"""{"model":"far","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"{{{{url}}}}"}}]}]}""";

    private static void Add(EdgeServer edge, ForwardedModel model) => edge.Models.Add(model.ToView(ModelName.Parse(model.Name)));

    private static async Task<JsonElement> ErrorAsync(HttpResponseMessage response)
    {
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        return JsonElement.Parse(await response.TextAsync()).GetProperty("error");
    }

    private static async Task<Job> JobAsync(string path, string body, ForwardedModel? model = null)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        Add(edge, model ?? Seeing);
        edge.Jobs.Script = job => job.Accept().Say("x").Finish();
        using HttpResponseMessage response = await edge.PostAsync(path, body);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.TextAsync());
        return (await edge.Jobs.NextAsync()).Job;
    }
}
