using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Ollama;

/// <summary>
/// <c>POST /api/generate</c> (https://docs.ollama.com/api/generate) to the internal request: the prompt is a chat of one turn,
/// unless <c>raw</c> says that it is to reach the model as it is.
/// </summary>
internal static class GenerateTranslator
{
    public static Result<OllamaRequest> Translate(JsonFields request)
    {
        string model = CommonFields.ReadModel(request);
        bool isStream = request.Flag("stream") ?? true;
        string prompt = request.Text("prompt") ?? "";
        string system = request.Text("system") ?? "";
        bool isRaw = request.Flag("raw") ?? false;
        string suffix = request.Text("suffix") ?? "";
        string? template = TemplateField.Read(request);
        ThinkField think = ThinkField.Read(request);
        OllamaOptions options = OllamaOptions.Read(request);
        CommonFields.Check(request);
        CommonFields.CheckImages(request);
        CheckContext(request);
        TimeSpan? keepAlive = CommonFields.ReadKeepAlive(request);
        if (isRaw && (system.Length > 0 || template is not null))
            request.Errors.Add(ApiError.BadRequest("raw mode does not support template, system, or context"));
        if (suffix.Length > 0 && (isRaw || system.Length > 0 || template is not null))
            request.Errors.Add("suffix", "does not go with raw, system or template: the model's tokens for filling in make the prompt");
        if (request.Errors.First is { } error)
            return error;

        ChatMessage user = new("user", prompt);
        InferenceRequest inference = new()
        {
            Model = model,
            IsLoad = prompt.Length == 0,
            KeepAlive = keepAlive,
            IsCompletion = true,
            RawPrompt = isRaw || suffix.Length > 0 ? prompt : null,
            Suffix = suffix,
            Template = template,
            Think = think.Think,
            ThinkLevel = think.Level,
            Messages = system.Length > 0 ? [new("system", system), user] : [user],
            Options = options.Inference,
            GivenOptions = options.Given,
            Format = options.Format,
            Seed = options.Seed,
            Stop = options.Stop,
        };
        return new OllamaRequest(inference, isStream);
    }

    /// <summary>Ollama has given it up too. An empty one is what its clients send back after an answer without it.</summary>
    private static void CheckContext(JsonFields request)
    {
        if (request.Items("context").Any())
            request.Errors.Add(ApiError.BadRequest("context is not supported by this server: send the conversation as messages to /api/chat"));
    }
}
