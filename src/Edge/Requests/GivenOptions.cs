using System.Globalization;
using System.Text.Json;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>The options that a client gave, by Ollama's names: of the others a server that is forwarded to is told nothing.</summary>
internal static class GivenOptions
{
    private static readonly InferenceOptions Defaults = new();

    private static readonly (string Name, Func<InferenceOptions, string> Json)[] Known =
    [
        ("num_ctx", options => Number(options.NumCtx)),
        ("num_predict", options => Number(options.NumPredict)),
        ("num_keep", options => Number(options.NumKeep)),
        ("temperature", options => Number(options.Temperature)),
        ("top_k", options => Number(options.TopK)),
        ("top_p", options => Number(options.TopP)),
        ("min_p", options => Number(options.MinP)),
        ("typical_p", options => Number(options.TypicalP)),
        ("repeat_penalty", options => Number(options.RepeatPenalty)),
        ("repeat_last_n", options => Number(options.RepeatLastN)),
        ("presence_penalty", options => Number(options.PresencePenalty)),
        ("frequency_penalty", options => Number(options.FrequencyPenalty)),
        ("mirostat", options => Number(options.Mirostat)),
        ("mirostat_tau", options => Number(options.MirostatTau)),
        ("mirostat_eta", options => Number(options.MirostatEta)),
        ("shift", options => options.Shift ? "true" : "false"),
        ("logit_bias", options => $"{{{string.Join(',', options.LogitBias.Select(bias => $"\"{Number(bias.Key)}\":{Number(bias.Value)}"))}}}"),
    ];

    /// <summary>What the client wrote, and what of the options differs from the defaults.</summary>
    public static IReadOnlyDictionary<string, JsonElement> Of(InferenceRequest request)
    {
        Dictionary<string, JsonElement> given = new(request.GivenOptions);
        foreach (var (name, json) in Known)
        {
            string value = json(request.Options);
            if (value != json(Defaults))
                given.TryAdd(name, JsonElement.Parse(value));
        }
        return given;
    }

    private static string Number(IFormattable? number) => number?.ToString(null, CultureInfo.InvariantCulture) ?? "null";
}
