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

    public void Dispose() => _client.Dispose();
}
