using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Security;

namespace OllamaMax.Edge.Anthropic;

/// <summary>The routes of Anthropic's API, but <c>/v1/models</c>, which OpenAI's API has too and maps for both.</summary>
internal sealed class AnthropicEndpoints(MessagesEndpoints messages) : IEndpointGroup
{
    public void Map(IEndpointRouteBuilder endpoints)
    {
        RequiredPermission infer = new(Permissions.Infer);
        endpoints.MapPost("/v1/messages", messages.AnswerAsync).WithMetadata(infer)
            .Describe(new(EndpointDescription.Anthropic, "The next message of a conversation.") { Body = "AnthropicMessagesRequest", TakesKey = true, Answer = "AnthropicMessage", Stream = "text/event-stream" });
        endpoints.MapPost("/v1/messages/count_tokens", messages.CountAsync).WithMetadata(infer)
            .Describe(new(EndpointDescription.Anthropic, "How many tokens a prompt has.") { Body = "AnthropicPrompt", AnswerType = AnthropicJson.Default.CountAnswer });
    }
}
