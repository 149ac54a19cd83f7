using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.OpenAI.Responses;

/// <summary><c>POST /v1/responses</c> (https://platform.openai.com/docs/api-reference/responses/create) to the internal request.</summary>
internal static class ResponsesTranslator
{
    private static readonly string[] Read =
    [
        "model", "input", "instructions", "previous_response_id", "tools", "tool_choice", "parallel_tool_calls", "temperature", "top_p", "max_output_tokens",
        "presence_penalty", "frequency_penalty", "top_logprobs", "text", "reasoning", "metadata", "stream", "store", "background", "truncation", "include", "keep_alive",
        "prompt_cache_options",
    ];

    /// <summary>
    /// What the answer does not depend on; max_tool_calls counts those of OpenAI's own tools, access_programs are its own as well, context_management only ever takes
    /// something away from a long conversation, and background_options are about the price of an answer that may come later.
    /// </summary>
    private static readonly string[] Harmless =
    [
        "user", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "stream_options", "max_tool_calls", "client_metadata", "access_programs",
        "context_management", "background_options",
    ];

    private static readonly FieldPolicy Policy = new(Read, Harmless);

    /// <summary><c>POST /v1/responses/input_tokens</c>: the fields that make the prompt, the others ignored.</summary>
    public static Result<ResponsesRequest> TranslateCount(JsonFields request, string id)
    {
        ResponsesRequest prompt = ReadPrompt(request, id);
        ResponseSettings.Check(request);
        return request.Errors.First is { } error ? error : prompt with { Settings = ResponseSettings.Of(request, isStored: false, isBackground: false) };
    }

    /// <param name="id">The response's.</param>
    public static Result<ResponsesRequest> Translate(JsonFields request, string id)
    {
        ResponsesRequest prompt = ReadPrompt(request, id);
        InferenceRequest inference = prompt.Inference with
        {
            KeepAlive = Ollama.CommonFields.ReadKeepAlive(request),
            Options = new RequestedOptions
            {
                NumPredict = (int?)request.Integer("max_output_tokens", 1),
                Temperature = request.Number("temperature", 0, 2),
                TopP = request.Number("top_p", 0, 1),
                PresencePenalty = request.Number("presence_penalty", -2, 2),
                FrequencyPenalty = request.Number("frequency_penalty", -2, 2),
                TopLogprobs = ReadTopLogprobs(request),
                Format = request.Object("text") is { } text ? ResponseFormatField.ReadFlat(text) : null,
            },
            Defaults = CommonFields.Defaults,
        };
        bool isStored = request.Flag("store") ?? true;
        bool isBackground = request.Flag("background") ?? false;
        if (isBackground && !isStored)
            request.Errors.Add("background", "must not be true with \"store\": false: there would be nothing to come back to");
        bool isStream = request.Flag("stream") ?? false;
        CheckOnly(request);
        Policy.Check(request);
        ResponseSettings.Check(request);
        if (request.Errors.First is { } error)
            return error;
        return prompt with
        {
            Inference = inference,
            Settings = ResponseSettings.Of(request, isStored, isBackground),
            IsStream = isStream,
            IsStored = isStored,
            IsBackground = isBackground,
            CarriesReasoning = request.Texts("include").Contains("reasoning.encrypted_content"),
        };
    }

    /// <summary>What the model is to read.</summary>
    private static ResponsesRequest ReadPrompt(JsonFields request, string id)
    {
        string model = CommonFields.ReadModel(request);
        string? previous = request.Text("previous_response_id");
        string? instructions = request.Text("instructions");
        ToolFields tools = ToolFields.Read(request, isFlat: true);
        EffortField effort = request.Object("reasoning") is { } reasoning ? EffortField.Read(reasoning, "effort") : default;
        InferenceRequest inference = new()
        {
            Model = model,
            Messages = Conversation.Read(instructions, InputField.Items(request)),
            Tools = tools.Tools,
            ToolChoice = tools.Choice,
            Think = effort.Think,
            ThinkLevel = effort.Level,
        };
        return new(id, inference, InputField.Read(request, id, isOptional: previous is not null)) { Instructions = instructions, PreviousId = previous };
    }

    /// <summary>They are in the answer where <c>include</c> has them. Others than these and the reasoning's add to what OpenAI's own tools answer, which are not here.</summary>
    private static int? ReadTopLogprobs(JsonFields request)
    {
        int top = (int?)request.Integer("top_logprobs", 0, SamplingFields.MostTopLogprobs) ?? 0;
        return request.Texts("include").Contains("message.output_text.logprobs") ? top : null;
    }

    /// <summary>Fields of which only values are done that ask for nothing.</summary>
    private static void CheckOnly(JsonFields request)
    {
        // Cline asks for auto by itself. Where all fits both are the same; what does not fit is refused, and clients that hear so shorten it better than by its beginning.
        if (request.Text("truncation") is not (null or "disabled" or "auto"))
            request.Errors.Add("truncation", "must be \"disabled\" or \"auto\"");
        if (request.Object("text") is { } text)
            CommonFields.CheckVerbosity(text);
        CommonFields.CheckPromptCache(request);
        foreach (string name in request.Object("metadata") is { } metadata ? metadata.Names() : [])
            request.Object("metadata")?.Text(name);
    }
}
