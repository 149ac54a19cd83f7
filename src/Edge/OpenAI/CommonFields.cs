using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.OpenAI;

/// <summary>Fields that <c>/v1/chat/completions</c> and <c>/v1/completions</c> share.</summary>
internal static class CommonFields
{
    /// <summary>Choices of one request, of all its prompts together: each is a job.</summary>
    public const int MostChoices = 128;

    /// <summary>What the answer does not depend on.</summary>
    public static readonly string[] Harmless =
        ["user", "metadata", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention"];

    public static readonly string[] Read =
    [
        "model", "stream", "stream_options", "n", "stop", "seed", "temperature", "top_p", "presence_penalty", "frequency_penalty", "logit_bias",
        "max_tokens", "logprobs", "top_k", "min_p", "repeat_penalty", "keep_alive",
    ];

    /// <summary>What is sampled is the model's own distribution: no filter, and the penalties are about the whole text so far.</summary>
    public static readonly RequestedOptions Defaults = new() { Temperature = 1, TopP = 1, TopK = 0, MinP = 0, RepeatPenalty = 1, RepeatLastN = -1 };

    public static string ReadModel(JsonFields request)
    {
        string model = request.Text("model") ?? "";
        if (model.Length == 0)
            request.Errors.Add("model", "is required");
        return model;
    }

    public static int ReadChoices(JsonFields request) => (int?)request.Integer("n", 1, MostChoices) ?? 1;

    /// <summary>Clients ask for one under the names of OpenAI's models; models here know none, and answer as they do.</summary>
    public static void CheckVerbosity(JsonFields parent)
    {
        if (parent.Text("verbosity") is not (null or "low" or "medium" or "high"))
            parent.Errors.Add(parent.PathOf("verbosity"), "must be \"low\", \"medium\" or \"high\"");
    }

    /// <summary>How long the state of a prompt is to be kept is a hint; that there is to be no answer is none.</summary>
    public static void CheckPromptCache(JsonFields request)
    {
        if (request.Object("prompt_cache_options") is { } options && options.Flag("prewarm") == true)
            options.Errors.Add(options.PathOf("prewarm"), "must be false: a request is answered");
    }

    /// <summary>Any number is one; negative ones would be drawn.</summary>
    private static long? ReadSeed(JsonFields request) => request.Integer("seed", long.MinValue, long.MaxValue) & long.MaxValue;

    /// <summary>A string, or an array of them.</summary>
    private static IReadOnlyList<string>? ReadStop(JsonFields request) =>
        request.Find("stop") is { ValueKind: System.Text.Json.JsonValueKind.String }
            ? [request.Text("stop") ?? ""]
            : SamplingFields.ReadStops(request, "stop");

    /// <summary>Whether the stream's end has the usage.</summary>
    public static bool ReadIncludeUsage(JsonFields request)
    {
        if (request.Object("stream_options") is not { } options)
            return false;
        if (request.Flag("stream") != true)
            request.Errors.Add("stream_options", "must only be there with \"stream\": true");
        options.Flag("include_obfuscation"); // There is none: tokens of different length leave as they come.
        return options.Flag("include_usage") ?? false;
    }

    /// <summary>The filters of Ollama's API (top_k, min_p, repeat_penalty) can be given beside OpenAI's fields.</summary>
    public static RequestedOptions ReadSampling(JsonFields request) => new()
    {
        Temperature = request.Number("temperature", 0, 2),
        TopP = request.Number("top_p", 0, 1),
        TopK = (int?)request.Integer("top_k") is { } top ? Math.Max(0, top) : null,
        MinP = request.Number("min_p", 0, 1),
        RepeatPenalty = request.Number("repeat_penalty", 0.01f, 100),
        PresencePenalty = request.Number("presence_penalty", -2, 2),
        FrequencyPenalty = request.Number("frequency_penalty", -2, 2),
        LogitBias = SamplingFields.ReadLogitBias(request),
        Seed = ReadSeed(request),
        Stop = ReadStop(request),
    };
}
