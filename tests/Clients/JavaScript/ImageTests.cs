using System.Net.Http.Json;
using System.Text.Json;
using OllamaMax.TestKit;

namespace OllamaMax.Clients.Tests.JavaScript;

/// <summary>Images that the official JavaScript clients send, to a model of a server that a worker forwards to.</summary>
public sealed class ImageTests : IAsyncLifetime
{
    private const string Png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    private const string Seen = "image/png of 70 bytes";

    private readonly TempFolder _folder = new();
    private SeeingServer? _server;
    private LocalSystem? _system;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static object[] Content => [new { type = "image_url", image_url = new { url = $"data:image/png;base64,{Png}" } }, new { type = "text", text = "What is it?" }];

    private static object[] Blocks => [new { type = "image", source = new { type = "base64", media_type = "image/png", data = Png } }, new { type = "text", text = "What is it?" }];

    private Uri Edge => _system!.BaseAddress;

    public async ValueTask InitializeAsync()
    {
        _server = await SeeingServer.StartAsync();
        _system = await LocalSystem.StartAsync(new() { MoreArguments = ["--forward", $"openai={_server.Url}"] }, Cancellation);
        using HttpClient client = new() { BaseAddress = Edge };
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!(await client.PostAsJsonAsync("/api/show", new { model = SeeingServer.Model }, Cancellation)).IsSuccessStatusCode)
            await timer.WaitForNextTickAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        if (_system is not null)
            await _system.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Images_OfEveryClient_AreSeenAndOthersAreRefusedInItsWords()
    {
        SdkScript openai = new("openai", Edge), anthropic = new("anthropic", Edge);
        object[] chat = [new { role = "user", content = Content }];
        object[] messages = [new { role = "user", content = Blocks }];
        object[] input = [new { role = "user", content = (object[])[new { type = "input_image", image_url = $"data:image/png;base64,{Png}", detail = "auto" }] }];

        JsonElement whole = await openai.AnswerAsync("chat.completions.create", new { model = SeeingServer.Model, messages = chat });
        JsonElement streamed = await openai.AnswerAsync("chat.completions.stream", new { model = SeeingServer.Model, messages = chat });
        JsonElement response = await openai.AnswerAsync("responses.create", new { model = SeeingServer.Model, input });
        JsonElement message = await anthropic.AnswerAsync("messages.create", new { model = SeeingServer.Model, max_tokens = 50, messages });
        JsonElement stream = await anthropic.AnswerAsync("messages.stream", new { model = SeeingServer.Model, max_tokens = 50, messages });
        JsonElement openaiError = await openai.ErrorAsync("chat.completions.create", new { model = "demo", messages = chat });
        JsonElement anthropicError = await anthropic.ErrorAsync("messages.create", new { model = "demo", max_tokens = 50, messages });

        Text(whole).ShouldBe(Seen);
        whole.GetProperty("usage").GetProperty("prompt_tokens").GetInt32().ShouldBe(300);
        Text(streamed).ShouldBe(Seen);
        response.GetProperty("output_text").GetString().ShouldBe(Seen);
        message.GetProperty("content")[0].GetProperty("text").GetString().ShouldBe(Seen);
        stream.GetProperty("content")[0].GetProperty("text").GetString().ShouldBe(Seen);
        (openaiError.GetProperty("name").GetString(), anthropicError.GetProperty("name").GetString()).ShouldBe(("BadRequestError", "BadRequestError"));
        openaiError.GetProperty("message").GetString().ShouldNotBeNull().ShouldContain("\"demo\" takes no images");
        anthropicError.GetProperty("message").GetString().ShouldNotBeNull().ShouldContain("takes no images");
    }

    /// <summary>Ollama's client reads the file itself.</summary>
    [Fact]
    public async Task Images_OfOllamasClient_AreSeen()
    {
        string file = _folder.File("cat.png");
        await File.WriteAllBytesAsync(file, Convert.FromBase64String(Png), Cancellation);
        string[] images = [file];

        JsonElement chat = await OllamaAsync("chat", new { model = SeeingServer.Model, messages = (object[])[new { role = "user", content = "What is it?", images }] });
        JsonElement generate = await OllamaAsync("generate", new { model = SeeingServer.Model, prompt = "What is it?", images });

        chat.GetProperty("message").GetProperty("content").GetString().ShouldBe(Seen);
        generate.GetProperty("response").GetString().ShouldBe(Seen);
    }

    private static string? Text(JsonElement chat) => chat.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString();

    private async Task<JsonElement> OllamaAsync(string call, object request)
    {
        await using NodeScript client = new(NodeScript.Beside("ollama.mjs"), [Edge.ToString(), call, JsonSerializer.Serialize(request)]);
        (string what, JsonElement value) = await client.NextAsync(Cancellation);
        what.ShouldBe("answer", value.ToString());
        return value;
    }
}
