using System.Text.Json;
using Microsoft.Extensions.AI;
using OllamaMax.TestKit;
using OllamaSharp;
using OllamaSharp.Models.Chat;

namespace OllamaMax.Clients.Tests;

/// <summary>Nothing asks for a call, which Ollama's API cannot: the model itself makes one. Clients hand it on, run the tool, and are told the answer.</summary>
[Collection(nameof(ChangesTheCatalogue))]
public sealed class ToolCallTests(LocalSystemFixture local)
{
    private static readonly string Script = NodeScript.Beside("JavaScript/calls.mjs");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>One process for all: to start one costs more than all that it does.</summary>
    [Fact]
    public async Task JavaScript_EachClient_RunsTheToolThatTheModelCallsAndGetsTheAnswer()
    {
        await using CallingModel model = await CallingModel.PublishAsync(local.Client);
        await using NodeScript script = new(Script, local.System.BaseAddress.ToString(), CallingModel.Name);

        foreach (string client in (string[])["ollama", "ollama streamed", "langchain", "langchain streamed", "ai", "ai streamed", "openai", "openai streamed", "anthropic", "anthropic streamed"])
        {
            (string what, JsonElement value) = await script.NextAsync(Cancellation);
            what.ShouldBe(client, value.ToString());
            value.GetProperty("calls").ToString().ShouldBe("""[{"name":"add","a":4}]""", client);
            value.GetProperty("text").GetString()!.Trim().ShouldBe(CallingModel.Answer, client);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OllamaSharp_CallOfTheModel_IsHandedOn(bool stream)
    {
        await using CallingModel model = await CallingModel.PublishAsync(local.Client);
        using OllamaApiClient client = new(local.System.BaseAddress, CallingModel.Name);
        Tool add = new() { Function = new() { Name = "add", Description = "Adds five.", Parameters = new() { Properties = new() { ["a"] = new() { Type = "integer" } }, Required = ["a"] } } };
        List<Message> messages = [new(OllamaSharp.Models.Chat.ChatRole.User, "What is 4 plus 5?")];

        List<Message> answered = await AskAsync();
        Message call = answered.Single(message => message.ToolCalls?.Any() == true);
        messages.AddRange([call, new(OllamaSharp.Models.Chat.ChatRole.Tool, "9") { ToolName = "add" }]);
        List<Message> last = await AskAsync();

        call.ToolCalls!.Single().Function.ShouldNotBeNull().ShouldSatisfyAllConditions(
            function => function.Name.ShouldBe("add"),
            function => function.Arguments!["a"]!.ToString().ShouldBe("4"));
        string.Concat(answered.Select(message => message.Content)).ShouldBeNullOrWhiteSpace();
        string.Concat(last.Select(message => message.Content)).ShouldBe(CallingModel.Answer);

        async Task<List<Message>> AskAsync() =>
            [.. (await client.ChatAsync(new() { Model = CallingModel.Name, Stream = stream, Messages = messages, Tools = [add] }, Cancellation).ToListAsync(Cancellation)).Select(part => part!.Message)];
    }

    [Fact]
    public async Task ExtensionsAI_CallOfTheModel_IsInvokedAndItsResultAnswered()
    {
        await using CallingModel model = await CallingModel.PublishAsync(local.Client);
        using OllamaApiClient ollama = new(local.System.BaseAddress, CallingModel.Name);
        List<int> calls = [];
        AITool add = AIFunctionFactory.Create(
            (int a) =>
            {
                calls.Add(a);
                return a + 5;
            },
            "add",
            "Adds five.");
        using IChatClient client = new ChatClientBuilder(ollama).UseFunctionInvocation().Build();

        ChatResponse answer = await client.GetResponseAsync("What is 4 plus 5?", new() { Tools = [add] }, Cancellation);

        calls.ShouldBe([4]);
        answer.Text.Trim().ShouldBe(CallingModel.Answer);
    }
}
