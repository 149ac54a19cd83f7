using System.Collections.ObjectModel;
using System.Globalization;
using System.Text.Json;
using OllamaMax.Edge.Ollama;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>The options that a client gave, by Ollama's names: of the others a server that is forwarded to is told nothing. Seed and stop strings are the job's own.</summary>
internal static class GivenOptions
{
    public static IReadOnlyDictionary<string, JsonElement> Of(RequestedOptions options)
    {
        JsonElement json = JsonSerializer.SerializeToElement(options with { Seed = null, Stop = null }, OllamaJson.Relaxed.RequestedOptions);
        Dictionary<string, JsonElement> given = new(options.Others ?? ReadOnlyDictionary<string, JsonElement>.Empty);
        foreach (JsonProperty option in json.EnumerateObject())
            given[option.Name] = option.Value;
        if (options.Shift is { } shift)
            given["shift"] = JsonElement.Parse(shift ? "true" : "false");
        if (options.LogitBias is { } biases)
            given["logit_bias"] = JsonElement.Parse($"{{{string.Join(',', biases.Select(bias => $"\"{Number(bias.Key)}\":{Number(bias.Value)}"))}}}");
        return given;
    }

    private static string Number(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);
}
