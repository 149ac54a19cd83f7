using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Security;

namespace OllamaMax.Edge.Ollama;

/// <summary>The routes of Ollama's API.</summary>
internal sealed class OllamaEndpoints(InferenceEndpoints inference, EmbedEndpoints embed, ModelEndpoints models) : IEndpointGroup
{
    private const string Lines = "application/x-ndjson";

    public void Map(IEndpointRouteBuilder endpoints)
    {
        string[] read = [HttpMethods.Get, HttpMethods.Head];
        RequiredPermission infer = new(Permissions.Infer);
        RequiredPermission readModels = new(Permissions.ReadModels);
        endpoints.MapMethods("/", read, static () => Results.Text("Ollama is running")).WithMetadata(readModels)
            .Describe(Said("Says that the server runs.") with { ContentType = "text/plain" });
        endpoints.MapMethods("/api/version", read, models.VersionAsync).WithMetadata(readModels)
            .Describe(Said("The version of Ollama's API that is spoken.") with { AnswerType = OllamaJson.Default.VersionAnswer });
        endpoints.MapMethods("/api/tags", read, models.TagsAsync).WithMetadata(readModels)
            .Describe(Said("The models, aliases included.") with { AnswerType = OllamaJson.Default.TagsAnswer });
        endpoints.MapMethods("/api/ps", read, models.PsAsync).WithMetadata(readModels)
            .Describe(Said("The models that workers hold in memory.") with { AnswerType = OllamaJson.Default.PsAnswer });
        endpoints.MapPost("/api/show", models.ShowAsync).WithMetadata(readModels)
            .Describe(Said("A model: template, parameters, metadata, capabilities.") with { Body = "OllamaModelRequest", AnswerType = OllamaJson.Default.ShowAnswer });
        endpoints.MapPost("/api/chat", inference.ChatAsync).WithMetadata(infer)
            .Describe(Said("The next message of a conversation.") with { Body = "OllamaChatRequest", TakesKey = true, Answer = "OllamaChatAnswer", Stream = Lines });
        endpoints.MapPost("/api/generate", inference.GenerateAsync).WithMetadata(infer)
            .Describe(Said("The answer to a prompt.") with { Body = "OllamaGenerateRequest", TakesKey = true, Answer = "OllamaGenerateAnswer", Stream = Lines });
        endpoints.MapPost("/api/embed", embed.EmbedAsync).WithMetadata(infer)
            .Describe(Said("Vectors of texts.") with { Body = "OllamaEmbedRequest", TakesKey = true, Answer = "OllamaEmbedAnswer" });
        endpoints.MapPost("/api/embeddings", embed.EmbeddingsAsync).WithMetadata(infer)
            .Describe(Said("The vector of a text; the older call.") with { Body = "OllamaEmbeddingsRequest", TakesKey = true, Answer = "OllamaEmbeddingsAnswer" });
    }

    private static EndpointDescription Said(string summary) => new(EndpointDescription.Ollama, summary);
}
