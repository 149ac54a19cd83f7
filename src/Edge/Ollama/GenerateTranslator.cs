using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;

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
        OllamaOptions options = OllamaOptions.Read(request);
        CommonFields.Check(request);
        CommonFields.CheckImages(request);
        CheckUnsupported(request);
        TimeSpan? keepAlive = CommonFields.ReadKeepAlive(request);
        if (isRaw && system.Length > 0)
            request.Errors.Add(ApiError.BadRequest("raw mode does not support template, system, or context"));
        if (request.Errors.First is { } error)
            return error;

        ChatMessage user = new("user", prompt);
        InferenceRequest inference = new()
        {
            Model = model,
            IsLoad = prompt.Length == 0,
            KeepAlive = keepAlive,
            IsCompletion = true,
            RawPrompt = isRaw ? prompt : null,
            Messages = system.Length > 0 ? [new("system", system), user] : [user],
            Options = options.Inference,
            Seed = options.Seed,
            Stop = options.Stop,
        };
        return new OllamaRequest(inference, isStream);
    }

    private static void CheckUnsupported(JsonFields request)
    {
        foreach (string name in (string[])["suffix", "template"])
        {
            if (request.Text(name) is { Length: > 0 })
                request.Errors.Add(ApiError.NotSupported(name));
        }
        if (request.Items("context").Any())
            request.Errors.Add(ApiError.NotSupported("context"));
    }
}
