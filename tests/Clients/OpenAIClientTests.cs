using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json;
using OllamaMax.TestKit;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Embeddings;

namespace OllamaMax.Clients.Tests;

/// <summary>The package <c>OpenAI</c>, as its users have it.</summary>
public sealed class OpenAIClientTests(LocalSystemFixture local)
{
    private readonly OpenAIClient _client = new(
        new ApiKeyCredential("unused"),
        new OpenAIClientOptions { Endpoint = new Uri(local.System.BaseAddress, "v1"), RetryPolicy = new ClientRetryPolicy(0) });

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Chat_Streamed_TextReasonAndUsage()
    {
        ChatCompletionOptions options = new() { Temperature = 0 };

        List<StreamingChatCompletionUpdate> updates =
            await _client.GetChatClient("demo").CompleteChatStreamingAsync([new UserChatMessage("What are you?")], options, Cancellation).ToListAsync(Cancellation);

        string.Concat(updates.SelectMany(update => update.ContentUpdate).Select(part => part.Text)).ShouldContain("OllamaMax");
        updates.ShouldContain(update => update.FinishReason == ChatFinishReason.Stop);
        updates[^1].Usage.OutputTokenCount.ShouldBePositive();
    }

    [Fact]
    public async Task Models_List_NamesBoth() =>
        (await _client.GetOpenAIModelClient().GetModelsAsync(Cancellation)).Value.Select(model => model.Id)
            .ShouldBe([$"{LocalSystemFixture.Endless}:latest", "demo:latest"], ignoreOrder: true);

    [Fact]
    public async Task Chat_NamedTool_IsCalledAndItsResultAnswered()
    {
        ChatTool tool = ChatTool.CreateFunctionTool("add", "Adds.", BinaryData.FromString("""{"type":"object","properties":{"a":{"type":"boolean"}},"required":["a"]}"""));
        ChatCompletionOptions options = new() { Tools = { tool }, ToolChoice = ChatToolChoice.CreateFunctionChoice("add"), AllowParallelToolCalls = false, MaxOutputTokenCount = 200 };

        ChatCompletion answer = await _client.GetChatClient("demo").CompleteChatAsync([new UserChatMessage("Hello")], options, Cancellation);

        answer.FinishReason.ShouldBe(ChatFinishReason.ToolCalls);
        JsonElement.Parse(answer.ToolCalls.ShouldHaveSingleItem().FunctionArguments).GetProperty("a").ValueKind.ShouldBeOneOf(JsonValueKind.True, JsonValueKind.False);
        ChatMessage[] messages = [new UserChatMessage("Hello"), new AssistantChatMessage(answer), new ToolChatMessage(answer.ToolCalls[0].Id, "9")];
        ChatCompletion second = await _client.GetChatClient("demo").CompleteChatAsync(messages, new() { Tools = { tool }, MaxOutputTokenCount = 20 }, Cancellation);
        second.Usage.OutputTokenCount.ShouldBePositive();
    }

    [Fact]
    public async Task Chat_Schema_AnswerSatisfiesIt()
    {
        BinaryData schema = BinaryData.FromString("""{"type":"object","properties":{"animal":{"type":"boolean"}},"required":["animal"],"additionalProperties":false}""");
        ChatCompletionOptions options = new() { ResponseFormat = ChatResponseFormat.CreateJsonSchemaFormat("verdict", schema, jsonSchemaIsStrict: true), MaxOutputTokenCount = 100 };

        ChatCompletion answer = await _client.GetChatClient("demo").CompleteChatAsync([new UserChatMessage("Is a cat an animal?")], options, Cancellation);

        JsonElement.Parse(answer.Content[0].Text).GetProperty("animal").ValueKind.ShouldBeOneOf(JsonValueKind.True, JsonValueKind.False);
    }

    [Fact]
    public async Task Chat_Aborted_TheWorkerStops()
    {
        using AbortWatch watch = await AbortWatch.BeginAsync(local.System, Cancellation);
        using CancellationTokenSource abort = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);

        await Should.ThrowAsync<OperationCanceledException>(async () =>
        {
            await foreach (StreamingChatCompletionUpdate _ in _client.GetChatClient(LocalSystemFixture.Endless).CompleteChatStreamingAsync([new UserChatMessage("Go on")], cancellationToken: abort.Token))
                await abort.CancelAsync();
        });

        await watch.StoppedAsync(Cancellation);
    }

    [Fact]
    public async Task Embeddings_Dimensions_AreKept()
    {
        OpenAIEmbedding embedding = await _client.GetEmbeddingClient("demo").GenerateEmbeddingAsync("a cat", new() { Dimensions = 8 }, Cancellation);

        embedding.ToFloats().Length.ShouldBe(8);
    }

    [Fact]
    public async Task Chat_UnknownModel_RaisesItsStatus()
    {
        ClientResultException error = await Should.ThrowAsync<ClientResultException>(
            () => _client.GetChatClient("nope").CompleteChatAsync([new UserChatMessage("Hello")], cancellationToken: Cancellation));

        error.Status.ShouldBe(404);
        error.Message.ShouldContain("model 'nope' not found");
    }
}
