using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Edge.Anthropic;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenAI.Responses;
using OllamaMax.Security;

namespace OllamaMax.Edge.OpenAI;

/// <summary>The routes of OpenAI's API.</summary>
internal sealed class OpenAIEndpoints(InferenceEndpoints inference, ResponsesEndpoint responses, ModelEndpoints models, Anthropic.ModelEndpoints anthropicModels) : IEndpointGroup
{
    public void Map(IEndpointRouteBuilder endpoints)
    {
        RequiredPermission infer = new(Permissions.Infer);
        RequiredPermission readModels = new(Permissions.ReadModels);
        endpoints.MapPost("/v1/chat/completions", inference.ChatAsync).WithMetadata(infer);
        endpoints.MapPost("/v1/completions", inference.CompletionAsync).WithMetadata(infer);
        endpoints.MapPost("/v1/responses", responses.CreateAsync).WithMetadata(infer);
        endpoints.MapPost("/v1/embeddings", inference.EmbeddingsAsync).WithMetadata(infer);
        endpoints.MapGet("/v1/models", context => IsAnthropic(context) ? anthropicModels.ListAsync(context) : models.ListAsync(context)).WithMetadata(readModels);
        endpoints.MapGet("/v1/models/{**id}", context => IsAnthropic(context) ? anthropicModels.ShowAsync(context) : models.ShowAsync(context)).WithMetadata(readModels);
    }

    private static bool IsAnthropic(HttpContext context) => ErrorShape.Of(context.Request) is AnthropicErrors;
}
