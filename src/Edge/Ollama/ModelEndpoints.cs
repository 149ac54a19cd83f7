using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Aliases;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Models;
using OllamaMax.Security;

namespace OllamaMax.Edge.Ollama;

/// <summary><c>/api/tags</c>, <c>/api/ps</c>, <c>/api/show</c> and <c>/api/version</c>.</summary>
internal sealed class ModelEndpoints(
    RequestBodyReader bodies, IModelSource models, NamedModels named, ILoadedModels loaded, TimeProvider time, IOptions<EdgeOptions> options)
{
    /// <summary>How requests of VS Code's Copilot Chat begin to say whose they are. It lists models by <c>general.basename</c>, so Ollama tells it the name that they have here.</summary>
    private const string CopilotChat = "GitHubCopilotChat/";

    /// <summary>What Ollama answers for a model that stays: the longest duration that Go has.</summary>
    private static readonly TimeSpan Forever = TimeSpan.FromTicks(long.MaxValue / TimeSpan.NanosecondsPerTick);

    public Task VersionAsync(HttpContext context) =>
        JsonAnswer.WriteAsync(context, new VersionAnswer(options.Value.OllamaVersion), OllamaJson.Relaxed.VersionAnswer);

    public async Task TagsAsync(HttpContext context)
    {
        IReadOnlyList<NamedModel> all = await named.ListAsync(RequestInfo.CallerOf(context), context.RequestAborted);
        TagsModel[] tags = [.. all.Select(one => one.Model).OrderByDescending(model => model.ModifiedAt).Select(Tag)];
        await JsonAnswer.WriteAsync(context, new TagsAnswer(tags), OllamaJson.Relaxed.TagsAnswer);
    }

    public async Task PsAsync(HttpContext context)
    {
        ModelAllowList allowed = RequestInfo.CallerOf(context).Models;
        ILookup<string, ModelView> byWeights = (await models.ListAsync(context.RequestAborted)).Where(model => allowed.Allows(model.Name)).ToLookup(model => model.Weights);
        PsModel[] running =
        [
            .. from one in await loaded.ListAsync(context.RequestAborted)
               from model in byWeights[one.Weights]
               let answer = Running(model, one)
               orderby answer.ExpiresAt descending, answer.Name
               select answer
        ];
        await JsonAnswer.WriteAsync(context, new PsAnswer(running), OllamaJson.Relaxed.PsAnswer);
    }

    public async Task ShowAsync(HttpContext context)
    {
        if ((await JsonRequest.ReadAsync(context, bodies, ShowRequest.Read)).Failed(out ApiError? error, out ShowRequest? request))
            await ErrorAnswer.WriteAsync(context, error);
        else if (await named.FindAsync(request.Model, RequestInfo.CallerOf(context), context.RequestAborted) is { } model)
            await JsonAnswer.WriteAsync(context, Show(model, request, AsksForBasename(context)), OllamaJson.Relaxed.ShowAnswer);
        else
            await ErrorAnswer.WriteAsync(context, ApiError.ModelNotFound(request.Model));
    }

    private static bool AsksForBasename(HttpContext context) => context.Request.Headers.UserAgent.ToString().StartsWith(CopilotChat, StringComparison.Ordinal);

    private static TagsModel Tag(ModelView model)
    {
        string name = DisplayName.Of(model.Name);
        DateTime modified = model.ModifiedAt.UtcDateTime;
        return new(name, name, modified, model.Size, model.Digest, DetailsAnswer.Of(model), model.Capabilities);
    }

    private PsModel Running(ModelView model, LoadedModel one)
    {
        string name = DisplayName.Of(model.Name);
        DateTime expires = (one.ExpiresAt ?? time.GetUtcNow() + Forever).UtcDateTime;
        return new(name, name, one.Size, model.Digest, DetailsAnswer.Of(model), expires, one.SizeVram, one.ContextLength);
    }

    private static ShowAnswer Show(ModelView model, ShowRequest request, bool asksForBasename)
    {
        Modelfile own = model.Modelfile;
        Modelfile modelfile = own with { System = request.System ?? own.System, Parameters = request.Options.Over(own.Parameters) };
        return new(
            modelfile.License.Count > 0 ? string.Join('\n', modelfile.License) : null,
            ModelfileText.Of(model with { Modelfile = modelfile }),
            ModelfileText.Parameters(own) is { Length: > 0 } parameters ? parameters : null,
            model.Template,
            modelfile.System,
            DetailsAnswer.Of(model),
            Info(model, asksForBasename ? request.Model : null),
            model.Capabilities,
            model.ModifiedAt.UtcDateTime,
            modelfile.Messages.Count > 0 ? [.. modelfile.Messages.Select(turn => new MessageAnswer(turn.Role, turn.Content))] : null);
    }

    /// <param name="model">Whose metadata it is.</param>
    /// <param name="basename">What the model is to be called there; null: what its file calls it.</param>
    private static SortedDictionary<string, JsonElement> Info(ModelView model, string? basename)
    {
        SortedDictionary<string, JsonElement> info = new(StringComparer.Ordinal);
        foreach ((string key, JsonElement value) in model.Metadata)
        {
            // Shown elsewhere, or said by the request: Ollama leaves these two out.
            if (key is not ("general.name" or "tokenizer.chat_template"))
                info.Add(key, value);
        }
        info.TryAdd("general.parameter_count", JsonSerializer.SerializeToElement(model.ParameterCount, OllamaJson.Default.Int64));
        if (basename is not null)
            info["general.basename"] = JsonSerializer.SerializeToElement(basename, OllamaJson.Default.String);
        return info;
    }
}
