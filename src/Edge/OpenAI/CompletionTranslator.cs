using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.OpenAI;

/// <summary>
/// <c>POST /v1/completions</c> (https://platform.openai.com/docs/api-reference/completions/create) to the internal request: each prompt reaches the
/// model as it is, without template.
/// </summary>
internal static class CompletionTranslator
{
    private const int DefaultTokens = 16;
    private const int MostLogprobs = 5;

    private static readonly FieldPolicy Policy = new([.. CommonFields.Read, "prompt", "suffix", "echo", "best_of"], [.. CommonFields.Harmless, "prediction"]);

    public static Result<OpenAIRequest> Translate(JsonFields request)
    {
        string model = CommonFields.ReadModel(request);
        bool isStream = request.Flag("stream") ?? false;
        bool includesUsage = CommonFields.ReadIncludeUsage(request);
        bool echoes = request.Flag("echo") ?? false;
        int choices = CommonFields.ReadChoices(request);
        IReadOnlyList<string> prompts = ReadPrompts(request);
        if (prompts.Count * choices > CommonFields.MostChoices)
            request.Errors.Add("prompt", $"must be so many prompts that there are at most {CommonFields.MostChoices} choices");
        if (request.Integer("best_of", 1) is { } best && best != choices)
            request.Errors.Add("best_of", "must be n: no choice is left out");
        RequestedOptions options = CommonFields.ReadSampling(request) with
        {
            NumPredict = (int)(request.Integer("max_tokens", 1) ?? DefaultTokens),
            TopLogprobs = (int?)request.Integer("logprobs", 0, MostLogprobs),
        };
        if (echoes && options.TopLogprobs is not null)
            request.Errors.Add("echo", "does not go with logprobs: those of a prompt are not known");
        InferenceRequest inference = new()
        {
            Model = model,
            KeepAlive = Ollama.CommonFields.ReadKeepAlive(request),
            IsCompletion = true,
            Suffix = request.Text("suffix") ?? "",
            Options = options,
            Defaults = CommonFields.Defaults,
            Choices = choices,
        };
        Policy.Check(request);
        if (request.Errors.First is { } error)
            return error;
        return new OpenAIRequest([.. prompts.Select(prompt => inference with { RawPrompt = prompt })], isStream, includesUsage) { Echoes = echoes };
    }

    private static IReadOnlyList<string> ReadPrompts(JsonFields request)
    {
        const string wanted = "must be a string or an array of at least one string (arrays of tokens are not supported by this server: send their text)";
        switch (request.Find("prompt"))
        {
            case { ValueKind: JsonValueKind.String }:
                return [request.Text("prompt") ?? ""];
            case { ValueKind: JsonValueKind.Array } array when array.GetArrayLength() > 0 && array.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String):
                return request.Texts("prompt");
            default:
                request.Errors.Add("prompt", wanted);
                return [];
        }
    }
}
