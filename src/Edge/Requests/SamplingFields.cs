using System.Globalization;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Requests;

/// <summary>Fields about sampling that several APIs have in one form.</summary>
internal static class SamplingFields
{
    public const int MostTopLogprobs = 20;

    private const int MostStops = 64;
    private const int LongestStop = 1024;
    private const int MostBiases = 1024;

    /// <summary><c>"logit_bias":{"token id": -100 to 100}</c>.</summary>
    public static IReadOnlyDictionary<int, float>? ReadLogitBias(JsonFields parent)
    {
        if (parent.Object("logit_bias") is not { } biases)
            return null;
        Dictionary<int, float> read = [];
        foreach (string name in biases.Names())
        {
            if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int token))
                parent.Errors.Add(parent.PathOf("logit_bias"), "must have token ids as names");
            else
                read[token] = biases.Number(name, -100, 100) ?? 0;
        }
        if (read.Count > MostBiases)
            parent.Errors.Add(parent.PathOf("logit_bias"), $"must have at most {MostBiases} tokens");
        return read;
    }

    /// <summary>An array of strings that end the answer.</summary>
    public static IReadOnlyList<string>? ReadStops(JsonFields parent, string name)
    {
        if (!parent.IsSet(name))
            return null;
        IReadOnlyList<string> stop = parent.Texts(name);
        if (stop.Count > MostStops || stop.Any(text => text.Length > LongestStop))
            parent.Errors.Add(parent.PathOf(name), $"must be at most {MostStops} strings of at most {LongestStop} characters");
        return stop;
    }
}
