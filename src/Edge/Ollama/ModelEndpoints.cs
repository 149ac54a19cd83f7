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
        if ((await ReadNameAsync(context)).Failed(out ApiError? error, out string? name))
            await ErrorAnswer.WriteAsync(context, error);
        else if (await named.FindAsync(name, RequestInfo.CallerOf(context), context.RequestAborted) is { } model)
            await JsonAnswer.WriteAsync(context, Show(model), OllamaJson.Relaxed.ShowAnswer);
        else
            await ErrorAnswer.WriteAsync(context, ApiError.ModelNotFound(name));
    }

    private ValueTask<Result<string>> ReadNameAsync(HttpContext context) => JsonRequest.ReadAsync<string>(context, bodies, fields =>
    {
        fields.Flag("verbose"); // Nothing more is known of a model than is always shown.
        string? old = fields.Text("name");
        string name = fields.Text("model") is { Length: > 0 } model ? model : old ?? "";
        if (name.Length == 0)
            fields.Errors.Add("model", "is required");
        return fields.Errors.First is { } first ? first : name;
    });

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

    private static ShowAnswer Show(ModelView model)
    {
        SortedDictionary<string, JsonElement> info = new(StringComparer.Ordinal);
        foreach ((string key, JsonElement value) in model.Metadata)
        {
            // Shown elsewhere, or said by the request: Ollama leaves these two out.
            if (key is not ("general.name" or "tokenizer.chat_template"))
                info.Add(key, value);
        }
        info.TryAdd("general.parameter_count", JsonSerializer.SerializeToElement(model.ParameterCount, OllamaJson.Default.Int64));
        Modelfile modelfile = model.Modelfile;
        return new(
            modelfile.License.Count > 0 ? string.Join('\n', modelfile.License) : null,
            ModelfileText.Of(model),
            ModelfileText.Parameters(modelfile) is { Length: > 0 } parameters ? parameters : null,
            model.Template,
            modelfile.System,
            DetailsAnswer.Of(model),
            info,
            model.Capabilities,
            model.ModifiedAt.UtcDateTime,
            modelfile.Messages.Count > 0 ? [.. modelfile.Messages.Select(turn => new MessageAnswer(turn.Role, turn.Content))] : null);
    }
}
