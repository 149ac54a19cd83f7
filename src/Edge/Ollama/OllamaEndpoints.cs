using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Edge.Http;
using OllamaMax.Security;

namespace OllamaMax.Edge.Ollama;

/// <summary>The routes of Ollama's API.</summary>
internal sealed class OllamaEndpoints(InferenceEndpoints inference, EmbedEndpoints embed, ModelEndpoints models) : IEndpointGroup
{
    public void Map(IEndpointRouteBuilder endpoints)
    {
        string[] read = [HttpMethods.Get, HttpMethods.Head];
        RequiredPermission infer = new(Permissions.Infer);
        RequiredPermission readModels = new(Permissions.ReadModels);
        endpoints.MapMethods("/", read, static context => context.Response.WriteAsync("Ollama is running", context.RequestAborted));
        endpoints.MapMethods("/api/version", read, models.VersionAsync);
        endpoints.MapMethods("/api/tags", read, models.TagsAsync).WithMetadata(readModels);
        endpoints.MapMethods("/api/ps", read, models.PsAsync).WithMetadata(readModels);
        endpoints.MapPost("/api/show", models.ShowAsync).WithMetadata(readModels);
        endpoints.MapPost("/api/chat", inference.ChatAsync).WithMetadata(infer);
        endpoints.MapPost("/api/generate", inference.GenerateAsync).WithMetadata(infer);
        endpoints.MapPost("/api/embed", embed.EmbedAsync).WithMetadata(infer);
        endpoints.MapPost("/api/embeddings", embed.EmbeddingsAsync).WithMetadata(infer);
    }
}
