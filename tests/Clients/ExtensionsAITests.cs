using System.ClientModel;
using System.ClientModel.Primitives;
using Microsoft.Extensions.AI;
using OllamaMax.TestKit;
using OllamaSharp;
using OpenAI;

namespace OllamaMax.Clients.Tests;

/// <summary>The abstractions of <c>Microsoft.Extensions.AI</c>, over OllamaSharp and over OpenAI's client.</summary>
public sealed class ExtensionsAITests : IDisposable
{
    private const string Ollama = "OllamaSharp";
    private const string Over = "OpenAI";

    private readonly LocalSystemFixture _local;
    private readonly OllamaApiClient _ollama;
    private readonly OpenAIClient _openAI;

    public ExtensionsAITests(LocalSystemFixture local)
    {
        _local = local;
        _ollama = new(local.System.BaseAddress, "demo");
        _openAI = new(new ApiKeyCredential("unused"), new OpenAIClientOptions { Endpoint = new Uri(local.System.BaseAddress, "v1"), RetryPolicy = new ClientRetryPolicy(0) });
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Ollama)]
    [InlineData(Over)]
    public async Task Chat_StreamedAndWhole_AreTheSameAnswer(string client)
    {
        ChatOptions options = new() { Temperature = 0 };

        ChatResponse whole = await Chat(client).GetResponseAsync("What are you?", options, Cancellation);
        ChatResponse streamed = await Chat(client).GetStreamingResponseAsync("What are you?", options, Cancellation).ToChatResponseAsync(Cancellation);

        whole.Text.ShouldContain("OllamaMax");
        streamed.Text.ShouldBe(whole.Text);
        whole.FinishReason.ShouldBe(ChatFinishReason.Stop);
        whole.Usage.ShouldNotBeNull().OutputTokenCount!.Value.ShouldBePositive();
    }

    [Fact]
    public async Task Chat_RequiredFunction_IsInvokedAndItsResultAnswered()
    {
        List<int> calls = [];
        AITool add = AIFunctionFactory.Create(
            (Digit a) =>
            {
                calls.Add((int)a);
                return 9;
            },
            "add",
            "Adds five.");
        using IChatClient client = new ChatClientBuilder(Chat(Over)).UseFunctionInvocation().Build();

        ChatResponse answer = await client.GetResponseAsync(
            "What is 4 plus 5?", new() { Tools = [add], ToolMode = ChatToolMode.RequireAny, AllowMultipleToolCalls = false, MaxOutputTokens = 100 }, Cancellation);

        calls.ShouldHaveSingleItem().ShouldBeInRange(0, 2);
        answer.Messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>().ShouldHaveSingleItem();
        answer.Messages[^1].Role.ShouldBe(ChatRole.Assistant);
    }

    [Theory]
    [InlineData(Ollama)]
    [InlineData(Over)]
    public async Task Chat_ResultOfAFunction_IsTaken(string client)
    {
        AITool add = AIFunctionFactory.Create((int a, int b) => a + b, "add", "Adds.");
        ChatMessage[] messages =
        [
            new(ChatRole.User, "What is 4 plus 5?"),
            new(ChatRole.Assistant, [new FunctionCallContent("call_1", "add", new Dictionary<string, object?> { ["a"] = 4, ["b"] = 5 })]),
            new(ChatRole.Tool, [new FunctionResultContent("call_1", 9)]),
        ];

        ChatResponse answer = await Chat(client).GetResponseAsync(messages, new() { Tools = [add], MaxOutputTokens = 20 }, Cancellation);

        answer.Usage.ShouldNotBeNull().OutputTokenCount!.Value.ShouldBePositive();
    }

    [Theory]
    [InlineData(Ollama)]
    [InlineData(Over)]
    public async Task Chat_TypedAnswer_IsOfTheType(string client)
    {
        ChatResponse<Verdict> answer = await Chat(client).GetResponseAsync<Verdict>("Is a cat an animal?", new ChatOptions { MaxOutputTokens = 100 }, cancellationToken: Cancellation);

        answer.TryGetResult(out Verdict? verdict).ShouldBeTrue(answer.Text);
        Enum.IsDefined(verdict!.Digit).ShouldBeTrue();
    }

    [Theory]
    [InlineData(Ollama)]
    [InlineData(Over)]
    public async Task Embeddings_Texts_OneEach(string client)
    {
        IEmbeddingGenerator<string, Embedding<float>> generator = client == Ollama ? _ollama : _openAI.GetEmbeddingClient("demo").AsIEmbeddingGenerator();

        GeneratedEmbeddings<Embedding<float>> embeddings = await generator.GenerateAsync(["a cat", "a dog"], cancellationToken: Cancellation);

        embeddings.Select(embedding => embedding.Vector.Length).ShouldBe([256, 256]);
    }

    [Theory]
    [InlineData(Ollama)]
    [InlineData(Over)]
    public async Task Chat_UnknownModel_RaisesItsError(string client)
    {
        Exception error = await Should.ThrowAsync<Exception>(() => Chat(client, "nope").GetResponseAsync("Hello", cancellationToken: Cancellation));

        error.Message.ShouldContain("404");
    }

    [Theory]
    [InlineData(Ollama)]
    [InlineData(Over)]
    public async Task Chat_Aborted_TheWorkerStops(string client)
    {
        using AbortWatch watch = await AbortWatch.BeginAsync(_local.System, Cancellation);
        using CancellationTokenSource abort = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);

        Exception? error = await Record.ExceptionAsync(async () =>
        {
            await foreach (ChatResponseUpdate _ in Chat(client, LocalSystemFixture.Endless).GetStreamingResponseAsync("Go on", cancellationToken: abort.Token))
                await abort.CancelAsync();
        });

        // OllamaSharp raises nothing: the parts just end.
        (error is OperationCanceledException).ShouldBe(client == Over, error?.ToString());
        await watch.StoppedAsync(Cancellation);
    }

    public void Dispose() => _ollama.Dispose();

    private IChatClient Chat(string client, string model = "demo")
    {
        if (client == Over)
            return _openAI.GetChatClient(model).AsIChatClient();
        _ollama.SelectedModel = model;
        return _ollama;
    }

    private enum Digit
    {
        Zero,
        One,
        Two,
    }

    private sealed record Verdict(bool IsTrue, Digit Digit);
}
