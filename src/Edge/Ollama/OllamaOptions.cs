using OllamaMax.Edge.Http;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Ollama;

/// <summary>
/// The <c>options</c> object. Unknown names are ignored as Ollama does; known ones that steer how a server loads models, or that
/// the engine does not have yet, are ignored too but must have their type.
/// </summary>
internal readonly record struct OllamaOptions(InferenceOptions Inference, long? Seed, IReadOnlyList<string> Stop)
{
    private const int MostStops = 64;
    private const int LongestStop = 1024;

    private static readonly string[] IgnoredIntegers =
        ["num_keep", "num_batch", "num_gpu", "main_gpu", "num_thread", "draft_num_predict", "mirostat"];
    private static readonly string[] IgnoredNumbers = ["typical_p", "tfs_z", "mirostat_eta", "mirostat_tau"];
    private static readonly string[] IgnoredFlags =
        ["use_mmap", "use_mlock", "low_vram", "f16_kv", "logits_all", "vocab_only", "numa", "penalize_newline"];

    public static OllamaOptions Read(JsonFields request)
    {
        InferenceOptions defaults = new();
        if (request.Object("options") is not { } options)
            return new(defaults, null, []);
        CheckIgnored(options);
        return new(
            new()
            {
                NumCtx = options.Integer("num_ctx", 0) is { } context and > 0 ? (int)context : null,
                NumPredict = options.Integer("num_predict") is { } predict ? (predict > 0 ? (int)predict : -1) : defaults.NumPredict,
                Temperature = options.Number("temperature", 0, 100) ?? defaults.Temperature,
                TopK = Math.Max(0, (int?)options.Integer("top_k") ?? defaults.TopK),
                TopP = options.Number("top_p", 0, 1) ?? defaults.TopP,
                MinP = options.Number("min_p", 0, 1) ?? defaults.MinP,
                RepeatPenalty = options.Number("repeat_penalty", 0.01f, 100) ?? defaults.RepeatPenalty,
                RepeatLastN = (int?)options.Integer("repeat_last_n", -1) ?? defaults.RepeatLastN,
                PresencePenalty = options.Number("presence_penalty", -100, 100) ?? defaults.PresencePenalty,
                FrequencyPenalty = options.Number("frequency_penalty", -100, 100) ?? defaults.FrequencyPenalty,
            },
            options.Integer("seed", long.MinValue, long.MaxValue),
            ReadStop(options));
    }

    private static IReadOnlyList<string> ReadStop(JsonFields options)
    {
        IReadOnlyList<string> stop = options.Texts("stop");
        if (stop.Count > MostStops || stop.Any(text => text.Length > LongestStop))
            options.Errors.Add(options.PathOf("stop"), $"must be at most {MostStops} strings of at most {LongestStop} characters");
        return stop;
    }

    private static void CheckIgnored(JsonFields options)
    {
        foreach (string name in IgnoredIntegers)
            options.Integer(name, long.MinValue, long.MaxValue);
        foreach (string name in IgnoredNumbers)
            options.Number(name);
        foreach (string name in IgnoredFlags)
            options.Flag(name);
    }
}
