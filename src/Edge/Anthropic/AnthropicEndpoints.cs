using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Edge.Http;
using OllamaMax.Security;

namespace OllamaMax.Edge.Anthropic;

/// <summary>The routes of Anthropic's API, but <c>/v1/models</c>, which OpenAI's API has too and maps for both.</summary>
internal sealed class AnthropicEndpoints(MessagesEndpoints messages) : IEndpointGroup
{
    public void Map(IEndpointRouteBuilder endpoints)
    {
        RequiredPermission infer = new(Permissions.Infer);
        endpoints.MapPost("/v1/messages", messages.AnswerAsync).WithMetadata(infer);
        endpoints.MapPost("/v1/messages/count_tokens", messages.CountAsync).WithMetadata(infer);
    }
}
