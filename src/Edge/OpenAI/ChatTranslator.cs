using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.OpenAI;

/// <summary><c>POST /v1/chat/completions</c> (https://platform.openai.com/docs/api-reference/chat/create) to the internal request.</summary>
internal static class ChatTranslator
{
    private static readonly FieldPolicy Policy = new(
        [
            .. CommonFields.Read, "messages", "tools", "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort", "reasoning",
            "max_completion_tokens", "top_logprobs", "store", "modalities", "verbosity", "prediction", "prompt_cache_options",
        ],
        CommonFields.Harmless);

    public static Result<OpenAIRequest> Translate(JsonFields request)
    {
        string model = CommonFields.ReadModel(request);
        bool isStream = request.Flag("stream") ?? false;
        bool includesUsage = CommonFields.ReadIncludeUsage(request);
        ChatMessage[] messages = MessagesField.Read(request);
        ToolFields tools = ToolFields.Read(request);
        EffortField effort = ReadEffort(request);
        long? most = request.Integer("max_tokens", 1);
        InferenceRequest inference = new()
        {
            Model = model,
            KeepAlive = Ollama.CommonFields.ReadKeepAlive(request),
            Messages = messages,
            Tools = tools.Tools,
            ToolChoice = tools.Choice,
            Think = effort.Think,
            ThinkLevel = effort.Level,
            Prediction = ReadPrediction(request),
            Options = CommonFields.ReadSampling(request) with
            {
                NumPredict = (int?)(request.Integer("max_completion_tokens", 1) ?? most),
                TopLogprobs = ReadTopLogprobs(request),
                Format = ResponseFormatField.Read(request),
            },
            Defaults = CommonFields.Defaults,
            Choices = CommonFields.ReadChoices(request),
        };
        CheckOnly(request);
        Policy.Check(request);
        return request.Errors.First is { } error ? error : new OpenAIRequest([inference], isStream, includesUsage);
    }

    /// <summary>Also as responses have it, <c>reasoning.effort</c>: Ollama takes both, and that first.</summary>
    private static EffortField ReadEffort(JsonFields request) =>
        request.Object("reasoning") is { } reasoning && reasoning.IsSet("effort") ? EffortField.Read(reasoning, "effort") : EffortField.Read(request, "reasoning_effort");

    private static int? ReadTopLogprobs(JsonFields request)
    {
        bool isWanted = request.Flag("logprobs") ?? false;
        int top = (int?)request.Integer("top_logprobs", 0, SamplingFields.MostTopLogprobs) ?? 0;
        if (top > 0 && !isWanted)
            request.Errors.Add("top_logprobs", "must only be there with \"logprobs\": true");
        return isWanted ? top : null;
    }

    /// <summary><c>{"type":"content","content":…}</c>, a string or parts of text.</summary>
    private static string? ReadPrediction(JsonFields request)
    {
        if (request.Object("prediction") is not { } prediction)
            return null;
        if (prediction.Text("type") is not "content")
            prediction.Errors.Add(prediction.PathOf("type"), "must be \"content\"");
        if (!prediction.IsSet("content"))
            prediction.Errors.Add(prediction.PathOf("content"), "is required");
        return ContentField.ReadText(prediction);
    }

    /// <summary>Fields of which only values are done that ask for nothing.</summary>
    private static void CheckOnly(JsonFields request)
    {
        if (request.Flag("store") == true)
            request.Errors.Add("store", "must be false: chat completions are not stored");
        if (request.Texts("modalities").Any(modality => modality != "text"))
            request.Errors.Add("modalities", "must be [\"text\"]: models write text");
        CommonFields.CheckVerbosity(request);
        CommonFields.CheckPromptCache(request);
    }
}
