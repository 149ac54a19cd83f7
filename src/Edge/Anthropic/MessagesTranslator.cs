using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenAI;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Anthropic;

/// <summary><c>POST /v1/messages</c> (https://docs.anthropic.com/en/api/messages) to the internal request.</summary>
internal static class MessagesTranslator
{
    private static readonly string[] Read =
        ["model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "output_format"];

    private static readonly string[] Sampling = ["max_tokens", "stop_sequences", "stream", "temperature", "top_p", "top_k"];

    /// <summary>
    /// What the answer does not depend on; context_management only ever takes something away from a long conversation, diagnostics are about the cache, and fallbacks are for
    /// models that decline for the policy of their maker.
    /// </summary>
    private static readonly string[] Harmless =
        ["metadata", "service_tier", "cache_control", "betas", "context_management", "inference_geo", "speed", "diagnostics", "fallbacks", "fallback_credit_token"];

    /// <summary>What is sampled is the model's own distribution.</summary>
    private static readonly RequestedOptions Defaults = new() { Temperature = 1, TopP = 1, TopK = 0, RepeatPenalty = 1 };

    private static readonly FieldPolicy Policy = new([.. Read, .. Sampling], Harmless);

    public static Result<MessagesRequest> Translate(JsonFields request)
    {
        // Where a thread goes on, what is missing is with the server: the client is to hear of that first.
        MessageThreads.Refuse(request);
        long? maxTokens = request.Integer("max_tokens", 1);
        if (!request.IsSet("max_tokens"))
            request.Errors.Add("max_tokens", "is required");
        Prompt prompt = ReadPrompt(request, maxTokens ?? 0);
        if (prompt.Inference.Messages is [.., { Role: "assistant" } last])
            CheckBegun(request, last, prompt.ShowsThinking);
        InferenceRequest inference = prompt.Inference with
        {
            Options = new RequestedOptions
            {
                NumPredict = (int)(maxTokens ?? 1),
                Temperature = request.Number("temperature", 0, 1),
                TopP = request.Number("top_p", 0, 1),
                TopK = (int?)request.Integer("top_k", 0),
                Stop = SamplingFields.ReadStops(request, "stop_sequences"),
                Format = ReadFormat(request),
            },
            Defaults = Defaults,
        };
        bool isStream = request.Flag("stream") ?? false;
        Policy.Check(request);
        return request.Errors.First is { } error ? error : new MessagesRequest(inference, isStream, prompt.ShowsThinking);
    }

    /// <summary>What cannot be gone on with, as documented ("Prefill Claude's response").</summary>
    private static void CheckBegun(JsonFields request, ChatMessage begun, bool isThinking)
    {
        if (begun.ToolCalls.Count > 0)
            request.Errors.Add("messages", "must end with a user's message: calls are waiting for their tool_result");
        else if (isThinking)
            request.Errors.Add("messages", "must end with a user's message when thinking is enabled");
        else if (begun.Content.Length > 0 && char.IsWhiteSpace(begun.Content[^1]))
            request.Errors.Add("messages", "must not end with an assistant's message whose text ends with white space");
    }

    /// <summary><c>POST /v1/messages/count_tokens</c>: the fields that make the prompt, the others ignored.</summary>
    public static Result<InferenceRequest> TranslateCount(JsonFields request)
    {
        InferenceRequest inference = ReadPrompt(request, maxTokens: 0).Inference;
        return request.Errors.First is { } error ? error : inference;
    }

    private static Prompt ReadPrompt(JsonFields request, long maxTokens)
    {
        ToolFields tools = ToolFields.Read(request);
        ThinkingField thinking = ThinkingField.Read(request, maxTokens);
        string? effort = request.Object("output_config") is { } output ? EffortField.Read(output, "effort").Level : null;
        InferenceRequest inference = new()
        {
            Model = CommonFields.ReadModel(request),
            Messages = MessagesField.Read(request, tools.Late),
            Tools = tools.Tools,
            ToolChoice = tools.Choice,
            Think = thinking.IsWanted ? null : false,
            ThinkLevel = thinking.Level ?? effort,
        };
        return new(inference, thinking.IsWanted);
    }

    /// <summary>A schema for the answer: <c>{"type":"json_schema","schema":{…}}</c>, in <c>output_config.format</c> or, as once, in <c>output_format</c>.</summary>
    private static RequestedFormat? ReadFormat(JsonFields request)
    {
        if ((request.Object("output_config")?.Object("format") ?? request.Object("output_format")) is not { } format)
            return null;
        if (format.Text("type") is not "json_schema")
            format.Errors.Add(format.PathOf("type"), "must be \"json_schema\"");
        else if (!format.IsSet("schema"))
            format.Errors.Add(format.PathOf("schema"), "is required");
        return ResponseFormatField.OfSchema(format, "schema", isStrict: true);
    }

    private readonly record struct Prompt(InferenceRequest Inference, bool ShowsThinking);
}
