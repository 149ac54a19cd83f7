using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Edge.Aliases;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Models;
using OllamaMax.Security;

namespace OllamaMax.Edge.Ollama;

/// <summary>
/// What an Ollama server does with an account at ollama.com, which this one has none of. It says so as one does whose owner has switched the cloud off (<c>OLLAMA_NO_CLOUD</c>), which the
/// <c>ollama</c> command goes by: it offers no models and no tools of the cloud then, and does not ask to sign in. It then takes no model whose name is like one of these either: where there
/// is such a name here, nothing is said to be off.
/// </summary>
internal sealed class CloudEndpoints(NamedModels named) : IEndpointGroup
{
    private const string NoAccount = "this server has no account at ollama.com, and needs none: its models are its own, and are not pushed";

    public void Map(IEndpointRouteBuilder endpoints)
    {
        RequiredPermission readModels = new(Permissions.ReadModels);
        endpoints.MapGet("/api/status", StatusAsync).WithMetadata(readModels)
            .Describe(Said("That models and tools of ollama.com are not to be had here, unless a model has a name like theirs.") with { AnswerType = OllamaJson.Default.CloudStatusAnswer });
        endpoints.MapGet("/api/experimental/model-recommendations", static context => JsonAnswer.WriteAsync(context, new RecommendationsAnswer([]), OllamaJson.Relaxed.RecommendationsAnswer))
            .WithMetadata(readModels)
            .Describe(Said("None: clients have their own.") with { AnswerType = OllamaJson.Default.RecommendationsAnswer });
        Refuse(endpoints.MapPost, "/api/me", NoAccount, readModels);
        Refuse(endpoints.MapPost, "/api/signout", NoAccount, readModels);
        Refuse(endpoints.MapDelete, "/api/user/keys/{key}", NoAccount, readModels);
        Refuse(endpoints.MapPost, "/api/experimental/web_search", "web search is unavailable", readModels);
        Refuse(endpoints.MapPost, "/api/experimental/web_fetch", "web fetch is unavailable", readModels);
    }

    /// <summary>By a 501, where Ollama has 401 and 403: these say something of the caller here, and are recorded.</summary>
    private static void Refuse(Func<string, RequestDelegate, IEndpointConventionBuilder> map, string path, string reason, RequiredPermission permission)
    {
        ApiError error = new(StatusCodes.Status501NotImplemented, $"ollama cloud is disabled: {reason}");
        map(path, context => ErrorAnswer.WriteAsync(context, error)).WithMetadata(permission).Describe(Said("Not done here: 501.") with { Status = error.Status, Answer = "OllamaError" });
    }

    private async Task StatusAsync(HttpContext context)
    {
        bool isNamedSo = (await named.ListAsync(RequestInfo.CallerOf(context), context.RequestAborted)).Any(one => ModelName.IsNameOfCloud(one.Id));
        CloudStatus status = isNamedSo ? new(Disabled: false, Source: "none") : new(Disabled: true, Source: "config");
        await JsonAnswer.WriteAsync(context, new CloudStatusAnswer(status), OllamaJson.Relaxed.CloudStatusAnswer);
    }

    private static EndpointDescription Said(string summary) => new(EndpointDescription.Ollama, summary);
}

/// <summary>Answer of <c>/api/status</c>.</summary>
internal sealed record CloudStatusAnswer(CloudStatus Cloud);

/// <param name="Disabled">No model runs there, and nothing is looked up on the web.</param>
/// <param name="Source">Who decided that: none, env, config or both.</param>
internal sealed record CloudStatus(bool Disabled, string Source);

/// <summary>Answer of <c>/api/experimental/model-recommendations</c>.</summary>
internal sealed record RecommendationsAnswer(IReadOnlyList<string> Recommendations);
