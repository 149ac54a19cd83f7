using System.Text.Json;
using OllamaMax.Edge.Http;

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

    /// <summary>Refuses what would change the answer and is not done yet, and checks the types of what may be ignored.</summary>
    public static void Check(JsonFields request)
    {
        if (request.Find("format") is { } format && !(format.ValueKind == JsonValueKind.String && request.Text("format") is ""))
            request.Errors.Add(ApiError.NotSupported("format"));
        if (request.Find("think") is { ValueKind: not JsonValueKind.False } think)
            CheckThink(request, think);
        foreach (string name in (string[])["logprobs", "_debug_render_only"])
        {
            if (request.Flag(name) == true)
                request.Errors.Add(ApiError.NotSupported(name));
        }
        if (request.Integer("top_logprobs", 0, 20) > 0)
            request.Errors.Add(ApiError.NotSupported("top_logprobs"));
        // These two change only what happens to a prompt longer than the context, which is refused here in any case.
        request.Flag("truncate");
        request.Flag("shift");
        CheckKeepAlive(request);
    }

    /// <summary>Refuses images; an empty list is none.</summary>
    public static void CheckImages(JsonFields parent)
    {
        if (parent.Items("images").Any())
            parent.Errors.Add(ApiError.NotSupported(parent.PathOf("images")));
    }

    /// <summary>An empty prompt with a keep_alive of zero asks to unload the model: refused, since nothing would happen.</summary>
    public static void CheckUnload(JsonFields request)
    {
        if (request.Find("keep_alive") is not { } value)
            return;
        bool isZero = value.ValueKind == JsonValueKind.Number
            ? value.TryGetDouble(out double seconds) && seconds == 0
            : value.ValueKind == JsonValueKind.String && request.Text("keep_alive") is "0" or "0s" or "0m" or "0h";
        if (isZero)
            request.Errors.Add(ApiError.NotSupported("keep_alive 0 without a prompt (unload)"));
    }

    private static void CheckThink(JsonFields request, JsonElement think)
    {
        bool isLevel = think.ValueKind == JsonValueKind.String && request.Text("think") is "high" or "medium" or "low" or "max";
        if (isLevel || think.ValueKind == JsonValueKind.True)
            request.Errors.Add(ApiError.NotSupported("think"));
        else
            request.Errors.Add("think", "must be a boolean, \"high\", \"medium\", \"low\" or \"max\"");
    }

    /// <summary>How long models stay loaded is the cluster's decision, so the value is not used; unloading at once would be expected to happen.</summary>
    private static void CheckKeepAlive(JsonFields request)
    {
        if (request.Find("keep_alive") is not { } value)
            return;
        if (value.ValueKind is not (JsonValueKind.Number or JsonValueKind.String))
            request.Errors.Add("keep_alive", "must be a number of seconds or a duration such as \"5m\"");
        else if (value.ValueKind == JsonValueKind.String && !GoDuration.IsValid(request.Text("keep_alive") ?? ""))
            request.Errors.Add("keep_alive", "must be a duration such as \"5m\"");
    }
}
