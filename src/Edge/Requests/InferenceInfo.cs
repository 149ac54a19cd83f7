using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>
/// What a request that models answer is called in traces and metrics, by OpenTelemetry's conventions for generative AI; a feature of its HttpContext from the moment that its jobs are started.
/// </summary>
internal sealed class InferenceInfo
{
    private const string Provider = "ollamamax";

    private readonly string _operation;
    private readonly string _asked;
    private readonly string? _answers;

    private InferenceInfo(InferenceRequest request, string? alias, string? answers)
    {
        _operation = request switch
        {
            { EmbedInputs: not null } => "embeddings",
            { IsCompletion: true } or { RawPrompt: not null } => "text_completion",
            _ => "chat",
        };
        (_asked, _answers) = (alias ?? answers ?? request.Model, answers);
    }

    /// <summary>Why there was no answer, or not the whole of one; null: there was.</summary>
    public JobErrorKind? Error { get; set; }

    /// <summary>Both names are an alias's as it is configured or a model's own, so there are not more of them than these: clients can write each in many ways.</summary>
    public TagList Tags
    {
        get
        {
            TagList tags = new() { { "gen_ai.operation.name", _operation }, { "gen_ai.provider.name", Provider }, { "gen_ai.request.model", _asked } };
            if (_answers is not null)
                tags.Add("gen_ai.response.model", _answers);
            return tags;
        }
    }

    public static InferenceInfo? Of(HttpContext context) => context.Features.Get<InferenceInfo>();

    /// <summary>Notes it on the request and on its span.</summary>
    /// <param name="context">The request's.</param>
    /// <param name="request">What was asked.</param>
    /// <param name="alias">The alias that was asked; null: the model itself was.</param>
    /// <param name="answers">The own name of the model that answers; null where nobody has said it.</param>
    public static void Note(HttpContext context, InferenceRequest request, string? alias, string? answers)
    {
        InferenceInfo info = new(request, alias, answers);
        context.Features.Set(info);
        if (Activity.Current is not { } span)
            return;
        span.DisplayName = $"{info._operation} {info._asked}";
        foreach (KeyValuePair<string, object?> tag in info.Tags)
            span.SetTag(tag.Key, tag.Value);
    }
}
