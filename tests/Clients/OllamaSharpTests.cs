using System.Text.Json;
using OllamaMax.TestKit;
using OllamaSharp;
using OllamaSharp.Models;
using OllamaSharp.Models.Chat;

namespace OllamaMax.Clients.Tests;

public sealed class OllamaSharpTests(LocalSystemFixture local) : IDisposable
{
    private readonly OllamaApiClient _client = new(local.System.BaseAddress, "demo");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ListLocalModels_TwoModels_NamesBoth() =>
        (await _client.ListLocalModelsAsync(Cancellation)).Select(model => model.Name)
            .ShouldBe([$"{LocalSystemFixture.Endless}:latest", "demo:latest"], ignoreOrder: true);

    [Fact]
    public async Task ShowModel_Demo_HasItsContextLength()
    {
        ShowModelResponse shown = await _client.ShowModelAsync(new ShowModelRequest { Model = "demo" }, Cancellation);

        shown.Info.ExtraInfo.ShouldNotBeNull()["llama.context_length"].ToString().ShouldBe("1024");
        shown.Template.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public async Task Chat_Streamed_TextThenStatistics()
    {
        ChatRequest request = new() { Model = "demo", Stream = true, Messages = [new Message(ChatRole.User, "What are you?")], Options = new() { Temperature = 0 } };

        List<ChatResponseStream> parts = [.. (await _client.ChatAsync(request, Cancellation).ToListAsync(Cancellation)).OfType<ChatResponseStream>()];

        string.Concat(parts.Select(part => part.Message.Content)).ShouldContain("OllamaMax");
        ChatDoneResponseStream done = parts[^1].ShouldBeOfType<ChatDoneResponseStream>();
        done.EvalCount.ShouldBePositive();
        done.TotalDuration.ShouldBePositive();
    }

    [Fact]
    public async Task Generate_Streamed_TextThenDone()
    {
        GenerateRequest request = new() { Model = "demo", Prompt = "Hello", Stream = true };

        List<GenerateResponseStream> parts = [.. (await _client.GenerateAsync(request, Cancellation).ToListAsync(Cancellation)).OfType<GenerateResponseStream>()];

        string.Concat(parts.Select(part => part.Response)).ShouldNotBeNullOrWhiteSpace();
        parts[^1].ShouldBeOfType<GenerateDoneResponseStream>().DoneReason.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public async Task Chat_Whole_OnePart()
    {
        ChatRequest request = new() { Model = "demo", Stream = false, Messages = [new Message(ChatRole.User, "What are you?")], Options = new() { Temperature = 0 } };

        ChatDoneResponseStream answer = (await _client.ChatAsync(request, Cancellation).ToListAsync(Cancellation)).ShouldHaveSingleItem().ShouldBeOfType<ChatDoneResponseStream>();

        answer.Message.Content.ShouldNotBeNull().ShouldContain("OllamaMax");
    }

    [Fact]
    public async Task Chat_ResultOfATool_IsAnswered()
    {
        Tool add = new() { Function = new() { Name = "add", Description = "Adds five.", Parameters = new() { Properties = new() { ["a"] = new() { Type = "integer" } }, Required = ["a"] } } };
        Message call = new(ChatRole.Assistant, "") { ToolCalls = [new() { Function = new() { Name = "add", Arguments = new Dictionary<string, object?> { ["a"] = 4 } } }] };
        Message result = new(ChatRole.Tool, "9") { ToolName = "add" };
        ChatRequest request = new() { Model = "demo", Stream = false, Messages = [new(ChatRole.User, "What is 4 plus 5?"), call, result], Tools = [add], Options = new() { NumPredict = 20 } };

        ChatResponseStream answer = (await _client.ChatAsync(request, Cancellation).ToListAsync(Cancellation))[^1]!;

        answer.ShouldBeOfType<ChatDoneResponseStream>().EvalCount.ShouldBePositive();
    }

    [Fact]
    public async Task Chat_Schema_AnswerSatisfiesIt()
    {
        JsonElement schema = JsonElement.Parse("""{"type":"object","properties":{"animal":{"type":"boolean"}},"required":["animal"],"additionalProperties":false}""");
        ChatRequest request = new() { Model = "demo", Stream = false, Messages = [new(ChatRole.User, "Is a cat an animal?")], Format = schema, Options = new() { NumPredict = 100 } };

        ChatResponseStream answer = (await _client.ChatAsync(request, Cancellation).ToListAsync(Cancellation))[^1]!;

        JsonElement.Parse(answer.Message.Content!).GetProperty("animal").ValueKind.ShouldBeOneOf(JsonValueKind.True, JsonValueKind.False);
    }

    [Fact]
    public async Task Embed_Texts_OneVectorEach()
    {
        EmbedResponse answer = await _client.EmbedAsync(new EmbedRequest { Model = "demo", Input = ["a cat", "a dog"] }, Cancellation);

        answer.Embeddings.Select(vector => vector.Length).ShouldBe([256, 256]);
    }

    [Fact]
    public async Task Chat_Aborted_TheWorkerStops()
    {
        ChatRequest request = new() { Model = LocalSystemFixture.Endless, Stream = true, Messages = [new(ChatRole.User, "Go on")], Options = new() { NumPredict = -1 } };
        using AbortWatch watch = await AbortWatch.BeginAsync(local.System, Cancellation);
        using CancellationTokenSource abort = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);

        // It raises nothing then: the parts just end.
        await foreach (ChatResponseStream? part in _client.ChatAsync(request, abort.Token))
        {
            part.ShouldNotBeNull().Done.ShouldBeFalse();
            await abort.CancelAsync();
        }

        await watch.StoppedAsync(Cancellation);
    }

    [Fact]
    public async Task Chat_UnknownModel_RaisesItsError()
    {
        ChatRequest request = new() { Model = "nope", Messages = [new(ChatRole.User, "Hello")] };

        Exception error = await Should.ThrowAsync<Exception>(async () => await _client.ChatAsync(request, Cancellation).ToListAsync(Cancellation));

        error.Message.ShouldContain("404");
    }

    public void Dispose() => _client.Dispose();
}
