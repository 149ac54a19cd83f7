using Microsoft.Extensions.Options;
using OllamaMax.Edge.Aliases;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Placing;
using OllamaMax.Edge.Tenants;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Forwarding;
using OllamaMax.Jobs.Records;
using OllamaMax.Models;
using OllamaMax.Placement;
using OllamaMax.Security;

namespace OllamaMax.Edge.Requests;

/// <summary>
/// Makes the job of a request: looks the model up, renders the prompt once, fixes seed, digest and deadline. After this
/// nothing about the answer is left to decide, on whatever worker it runs.
/// </summary>
internal sealed class JobFactory(
    NamedModels models, PromptMaker prompts, PlacementRules rules, SeedSource seeds, TimeProvider time, IOptions<EdgeOptions> options, IOptions<TenantOptions> tenants)
{
    private static readonly RenderedPrompt NoPrompt = new("", OutputParsing.None, Grammar: null);

    /// <summary>Far apart in all bits: neighbouring seeds are other requests' (the golden ratio, as in SplitMix64; Steele et al. 2014).</summary>
    private const ulong SeedStep = 0x9E37_79B9_7F4A_7C15;

    /// <summary>The jobs of several requests that are answered as one, each as often as it has choices.</summary>
    public async ValueTask<Result<Job[]>> CreateAllAsync(
        IReadOnlyList<InferenceRequest> requests, RequestInfo info, CancellationToken cancellationToken)
    {
        List<Job> all = [];
        foreach (InferenceRequest request in requests)
        {
            if ((await CreateAsync(request, info, cancellationToken)).Failed(out ApiError? error, out Job? first))
                return error;
            all.Add(first);
            for (int i = 1; i < request.Choices; i++)
                all.Add(first with { Id = JobId.New(time), Seed = SeedOf(first, i) });
        }
        return all.ToArray();
    }

    /// <summary>The seed of one of several answers to the same request.</summary>
    public static ulong SeedOf(Job first, int choice) => unchecked(first.Seed + ((ulong)choice * SeedStep));

    public async ValueTask<Result<Job>> CreateAsync(InferenceRequest request, RequestInfo info, CancellationToken cancellationToken)
    {
        Principal principal = info.Principal ?? throw new InvalidOperationException("Jobs are made for authenticated requests.");
        if (await models.FindAsync(request.Model, principal, cancellationToken) is not { } model)
            return ApiError.ModelNotFound(request.Model);
        if (Unsupported(request, model) is { } unsupported)
            return unsupported;
        if (ImageRules.Apply(request, model, options.Value).Failed(out ApiError? error, out InferenceRequest? readable))
            return error;
        request = readable;
        RequestedOptions said = request.Options.Over(model.Modelfile.Parameters).Over(request.Defaults);
        RenderedPrompt? prompt = NoPrompt;
        ForwardedPrompt? forward = null;
        bool isAnswered = !request.IsLoad && request.EmbedInputs is null;
        if (isAnswered && model.Forwarded is null && prompts.Make(request, model).Failed(out error, out prompt))
            return error;
        if (isAnswered && model.Forwarded is not null && ForwardedPromptMaker.Make(request, model).Failed(out error, out forward))
            return error;
        return new Job
        {
            Id = JobId.New(time),
            RequestId = info.Id,
            TraceParent = info.TraceParent,
            Tenant = principal.Tenant,
            Credential = principal.Credential,
            Limits = principal.Limits.IsNone ? null : principal.Limits,
            Band = Band.Interactive,
            Placement = new(rules.Of(model, principal.Tenant, forward?.HasImages == true), options.Value.SharePrompts ? PrefixOf(request, model) : PrefixOf(request, model).Within(principal.Tenant)),
            SharesPrompts = options.Value.SharePrompts,
            Model = model.Weights,
            ModelName = request.Model,
            AnsweredBy = DisplayName.Of(model.Name),
            Shape = request.IsLoad || request.EmbedInputs is not null ? null : request.IsCompletion ? RequestShape.Generate : RequestShape.Chat,
            LoadOnly = request.IsLoad,
            KeepAlive = KeepAliveOf(request, model, principal),
            OnlyLengthensStay = !DecidesForAll(principal),
            Prompt = prompt.Text,
            Prediction = forward is null ? request.Prediction : null,
            Forward = forward,
            Parsing = prompt.Parsing with { IsSingleCall = request.ToolChoice.IsSingle },
            EmbedInputs = request.IsLoad ? null : request.EmbedInputs,
            Truncate = request.Truncate,
            Options = Clamp(said.ToInference(), model) with { Grammar = prompt.Grammar },
            Seed = said.Seed is { } seed and >= 0 ? (ulong)seed : seeds.Draw(),
            Stop = said.Stop ?? [],
            Deadline = options.Value.JobDeadline,
        };
    }

    /// <summary>A model in memory is everybody's: how long it stays is decided by who manages models, and lengthened by others as far as their tenant may.</summary>
    private static bool DecidesForAll(Principal principal) => principal.May(Permissions.ManageModels);

    private TimeSpan? KeepAliveOf(InferenceRequest request, ModelView model, Principal principal)
    {
        if (request.KeepAlive is not { } asked || DecidesForAll(principal))
            return request.KeepAlive;
        if (asked == TimeSpan.Zero)
            return request.IsLoad ? asked : null;
        // What a server that is forwarded to is told counts there as it is.
        if (model.Forwarded is not null)
            return null;
        return tenants.Value.Of(principal.Tenant).MaxKeepAlive is { } most && (asked < TimeSpan.Zero || asked > most) ? most : asked;
    }

    private static ApiError? Unsupported(InferenceRequest request, ModelView model)
    {
        // Any model gives vectors, if not good ones; whether this one does its engine says.
        if (request.EmbedInputs is not null)
            return null;
        // Any model can leave.
        if (request.IsLoad && request.KeepAlive == TimeSpan.Zero)
            return null;
        if (!model.CanComplete)
            return ApiError.BadRequest($"\"{request.Model}\" does not support {(request.IsCompletion ? "generate" : "chat")}");
        if (request.Tools.Count > 0 && !model.TakesTools)
            return ApiError.BadRequest($"\"{request.Model}\" does not support tools");
        if (request.Think == true && !model.Capabilities.Contains("thinking"))
            return ApiError.BadRequest($"\"{request.Model}\" does not support thinking");
        return null;
    }

    /// <summary>Of the conversation, or of a text without turns; texts to embed are told apart so that they are spread.</summary>
    private static PromptPrefix PrefixOf(InferenceRequest request, ModelView model) => request switch
    {
        { IsLoad: true } => default,
        { EmbedInputs: { } inputs } => inputs.Count > 0 ? PromptPrefix.OfText(inputs[0]) : default,
        { RawPrompt: { } prompt } => PromptPrefix.OfText(prompt),
        _ => PromptPrefix.OfChat(ModelfileMessages.Before(request, model), request.Tools),
    };

    /// <summary>More context than the model was trained for helps nobody; a server that is forwarded to decides that by itself.</summary>
    private static InferenceOptions Clamp(InferenceOptions options, ModelView model) =>
        model.Forwarded is null && options.NumCtx > model.ContextLength ? options with { NumCtx = model.ContextLength } : options;
}
