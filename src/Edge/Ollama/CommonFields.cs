using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Ollama;

/// <summary>Fields that <c>/api/chat</c> and <c>/api/generate</c> share, besides <c>options</c>.</summary>
internal static class CommonFields
{
    /// <summary>The model's name; an error is noted where there is none.</summary>
    public static string ReadModel(JsonFields request)
    {
        string model = request.Text("model") ?? "";
        if (model.Length == 0)
            request.Errors.Add("model", "is required");
        return model;
    }

    /// <summary>Whether the client only wants to see the prompt.</summary>
    public static bool ReadRenderOnly(JsonFields request) => request.Flag("_debug_render_only") ?? false;

    /// <summary>Checks the types of what is ignored.</summary>
    public static void Check(JsonFields request)
    {
        // It would leave out old messages of a conversation longer than the context. Only a worker can count tokens: it refuses such a prompt.
        request.Flag("truncate");
    }

    /// <summary>The field <c>images</c>: base64 each. Ollama puts them before the text.</summary>
    public static IReadOnlyList<ChatImage> ReadImages(JsonFields parent) =>
        [.. parent.Texts("images").Select((image, index) => ImageReader.ReadBase64(image, parent.Errors, $"{parent.PathOf("images")}[{index}]")).OfType<ChatImage>()];

    /// <summary>How long the model is to stay in memory after this: null where the request does not say, negative (for good) as one value.</summary>
    public static TimeSpan? ReadKeepAlive(JsonFields request)
    {
        const string wanted = "must be a number of seconds or a duration such as \"5m\"";
        if (request.Find("keep_alive") is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double seconds))
            return KeepAlive(seconds);
        if (value.ValueKind == JsonValueKind.String && GoDuration.TryParse(request.Text("keep_alive") ?? "", out double duration))
            return KeepAlive(duration);
        request.Errors.Add("keep_alive", value.ValueKind == JsonValueKind.String ? "must be a duration such as \"5m\"" : wanted);
        return null;
    }

    /// <summary>What is longer than a TimeSpan holds is for good as well.</summary>
    private static TimeSpan KeepAlive(double seconds) =>
        seconds < 0 || seconds >= TimeSpan.MaxValue.TotalSeconds ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(seconds);
}
