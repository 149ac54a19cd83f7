using System.Runtime.InteropServices;
using System.Text.Json;
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
        RequestedOptions options = OllamaOptions.Read(request);
        CommonFields.Check(request);
        bool isRenderOnly = CommonFields.ReadRenderOnly(request);
        IReadOnlyList<ChatImage> images = CommonFields.ReadImages(request);
        IReadOnlyList<ChatMessage> earlier = ReadContext(request);
        TimeSpan? keepAlive = CommonFields.ReadKeepAlive(request);
        if (isRaw && (system.Length > 0 || template is not null || earlier.Count > 0))
            request.Errors.Add(ApiError.BadRequest("raw mode does not support template, system, or context"));
        if (suffix.Length > 0 && (isRaw || system.Length > 0 || template is not null || earlier.Count > 0))
            request.Errors.Add("suffix", "does not go with raw, system or template, nor with context: the model's tokens for filling in make the prompt");
        if (images.Count > 0 && (isRaw || suffix.Length > 0))
            request.Errors.Add("images", "do not go with raw or suffix: they belong to a message");
        if (request.Errors.First is { } error)
            return error;

        bool isRendered = !isRaw && suffix.Length == 0;
        // One system message, in front: templates know no other place.
        IEnumerable<ChatMessage> systems = system.Length > 0 ? [new("system", system)] : earlier.Where(IsSystem);
        ChatMessage[] messages = [.. systems, .. earlier.Where(turn => !IsSystem(turn)), new("user", prompt) { Images = images }];
        InferenceRequest inference = new()
        {
            Model = model,
            IsLoad = prompt.Length == 0 && images.Count == 0,
            KeepAlive = keepAlive,
            IsCompletion = true,
            RawPrompt = isRendered ? null : prompt,
            Suffix = suffix,
            Template = template,
            Think = think.Think,
            ThinkLevel = think.Level,
            Messages = messages,
            Options = options,
        };
        return new OllamaRequest(inference, isStream) { IsRenderOnly = isRenderOnly && !inference.IsLoad, Turns = isRendered && !inference.IsLoad ? messages : null };
    }

    private static bool IsSystem(ChatMessage turn) => turn.Role == "system";

    private static IReadOnlyList<ChatMessage> ReadContext(JsonFields request)
    {
        List<int> numbers = [];
        foreach (JsonElement item in request.Items("context"))
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out int number))
            {
                request.Errors.Add("context", "must be an array of integers");
                return [];
            }
            numbers.Add(number);
        }
        // An empty one is what clients send back after an answer without it.
        if (numbers.Count == 0)
            return [];
        if (ConversationContext.Decode(CollectionsMarshal.AsSpan(numbers)) is { } turns)
            return turns;
        request.Errors.Add("context", "is none that this server has given: those of other servers are tokens of theirs. Send the conversation as messages to /api/chat");
        return [];
    }
}
