using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json;
using OllamaMax.TestKit;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Embeddings;

namespace OllamaMax.Clients.Tests;

/// <summary>The package <c>OpenAI</c>, as its users have it.</summary>
public sealed class OpenAIClientTests
{
    private readonly OpenAIClient _client;

    public OpenAIClientTests(LocalSystemFixture local) => _client = new(
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
    public async Task Chat_NamedTool_IsCalled()
    {
        ChatTool tool = ChatTool.CreateFunctionTool("add", "Adds.", BinaryData.FromString("""{"type":"object","properties":{"a":{"type":"boolean"}},"required":["a"]}"""));
        ChatCompletionOptions options = new() { Tools = { tool }, ToolChoice = ChatToolChoice.CreateFunctionChoice("add"), AllowParallelToolCalls = false, MaxOutputTokenCount = 200 };

        ChatCompletion answer = await _client.GetChatClient("demo").CompleteChatAsync([new UserChatMessage("Hello")], options, Cancellation);

        answer.FinishReason.ShouldBe(ChatFinishReason.ToolCalls);
        JsonElement.Parse(answer.ToolCalls.ShouldHaveSingleItem().FunctionArguments).GetProperty("a").ValueKind.ShouldBeOneOf(JsonValueKind.True, JsonValueKind.False);
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
