using System.ClientModel;
using System.ClientModel.Primitives;
using Microsoft.Extensions.AI;
using OllamaSharp;
using OpenAI;

namespace OllamaMax.Clients.Tests;

/// <summary>What the packages from NuGet make of a key that is wrong.</summary>
public sealed class WrongKeyTests(KeyedSystemFixture keyed)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task OllamaSharp_WrongKey_RaisesItsStatus()
    {
        using HttpClient http = Http();
        using OllamaApiClient client = new(http, "demo");

        Exception list = await Should.ThrowAsync<Exception>(() => client.ListLocalModelsAsync(Cancellation));
        Exception chat = await Should.ThrowAsync<Exception>(() => ((IChatClient)client).GetResponseAsync("Hello", cancellationToken: Cancellation));

        list.Message.ShouldContain("401");
        chat.Message.ShouldContain("401");
    }

    [Fact]
    public async Task OpenAI_WrongKey_RaisesItsStatusAndMessage()
    {
        OpenAIClient client = new(
            new ApiKeyCredential(KeyedSystemFixture.UnknownKey), new OpenAIClientOptions { Endpoint = new Uri(keyed.Address, "v1"), RetryPolicy = new ClientRetryPolicy(0) });

        ClientResultException list = await Should.ThrowAsync<ClientResultException>(() => client.GetOpenAIModelClient().GetModelsAsync(Cancellation));
        ClientResultException chat = await Should.ThrowAsync<ClientResultException>(() => client.GetChatClient("demo").AsIChatClient().GetResponseAsync("Hello", cancellationToken: Cancellation));

        foreach (ClientResultException error in (ClientResultException[])[list, chat])
        {
            error.Status.ShouldBe(401);
            error.Message.ShouldContain("the key is not known");
        }
    }

    private HttpClient Http() => new() { BaseAddress = keyed.Address, DefaultRequestHeaders = { Authorization = new("Bearer", KeyedSystemFixture.UnknownKey) } };
}
