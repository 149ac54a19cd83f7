using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Edge.Anthropic;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenAI.Responses;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Security;

namespace OllamaMax.Edge.OpenAI;

/// <summary>The routes of OpenAI's API.</summary>
internal sealed class OpenAIEndpoints(InferenceEndpoints inference, ResponsesEndpoint responses, ModelEndpoints models, Anthropic.ModelEndpoints anthropicModels) : IEndpointGroup
{
    private const string Events = "text/event-stream";

    public void Map(IEndpointRouteBuilder endpoints)
    {
        RequiredPermission infer = new(Permissions.Infer);
        RequiredPermission readModels = new(Permissions.ReadModels);
        endpoints.MapPost("/v1/chat/completions", inference.ChatAsync).WithMetadata(infer)
            .Describe(Said("The next message of a conversation.") with { Body = "OpenAIChatRequest", TakesKey = true, Answer = "OpenAIChatAnswer", Stream = Events });
        endpoints.MapPost("/v1/completions", inference.CompletionAsync).WithMetadata(infer)
            .Describe(Said("What comes after a prompt.") with { Body = "OpenAICompletionRequest", TakesKey = true, Answer = "OpenAICompletionAnswer", Stream = Events });
        endpoints.MapPost("/v1/responses", responses.CreateAsync).WithMetadata(infer)
            .Describe(Said("A response; stored unless store is false, run in the background if background is true.") with { Body = "OpenAIResponseRequest", TakesKey = true, Answer = "OpenAIResponse", Stream = Events });
        endpoints.MapPost("/v1/responses/input_tokens", responses.CountAsync).WithMetadata(infer)
            .Describe(Said("Counts the tokens of what a response would read, without running it.") with { Body = "OpenAIResponseRequest", AnswerType = OpenAIJson.Default.InputTokensAnswer });
        endpoints.MapPost("/v1/embeddings", inference.EmbeddingsAsync).WithMetadata(infer)
            .Describe(Said("Vectors of texts.") with { Body = "OpenAIEmbeddingsRequest", TakesKey = true, Answer = "OpenAIEmbeddingsAnswer" });
        endpoints.MapGet("/v1/models", context => IsAnthropic(context) ? anthropicModels.ListAsync(context) : models.ListAsync(context)).WithMetadata(readModels)
            .Describe(Said("The models, aliases included; with anthropic-version in Anthropic's pages.") with { Query = [("limit", "Of such a page: 20, up to 1000."), ("after_id", "Those behind this one."), ("before_id", "Those before this one.")], AnswerType = OpenAIJson.Default.ModelsAnswer });
        endpoints.MapGet("/v1/models/{**id}", context => IsAnthropic(context) ? anthropicModels.ShowAsync(context) : models.ShowAsync(context)).WithMetadata(readModels)
            .Describe(Said("A model; with anthropic-version in Anthropic's form.") with { AnswerType = OpenAIJson.Default.ModelAnswer });
    }

    private static EndpointDescription Said(string summary) => new(EndpointDescription.OpenAI, summary);

    private static bool IsAnthropic(HttpContext context) => ErrorShape.Of(context.Request) is AnthropicErrors;
}
