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

    private InferenceInfo(InferenceRequest request, string? answers)
    {
        _operation = request switch
        {
            { EmbedInputs: not null } => "embeddings",
            { IsCompletion: true } or { RawPrompt: not null } => "text_completion",
            _ => "chat",
        };
        (_asked, _answers) = (request.Model, answers);
    }

    /// <summary>Why there was no answer, or not the whole of one; null: there was.</summary>
    public JobErrorKind? Error { get; set; }

    /// <summary>Both names exist, as an alias or a model, so there are not more of them than these.</summary>
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
    /// <param name="answers">The own name of the model that answers; null where nobody has said it.</param>
    public static void Note(HttpContext context, InferenceRequest request, string? answers)
    {
        InferenceInfo info = new(request, answers);
        context.Features.Set(info);
        if (Activity.Current is not { } span)
            return;
        span.DisplayName = $"{info._operation} {info._asked}";
        foreach (KeyValuePair<string, object?> tag in info.Tags)
            span.SetTag(tag.Key, tag.Value);
    }
}
