using System.Collections.ObjectModel;
using System.Globalization;
using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Ollama;

/// <summary>
/// The <c>options</c> object, and what else in a request says how to decode: <c>format</c>, <c>logprobs</c>, <c>top_logprobs</c>, <c>shift</c>.
/// Unknown names are ignored as Ollama does; known ones that steer how a server loads models are ignored too but must have their type.
/// Beyond Ollama's there is <c>logit_bias</c>, in OpenAI's form: <c>{"token id": -100 to 100}</c>.
/// </summary>
internal readonly record struct OllamaOptions(InferenceOptions Inference, long? Seed, IReadOnlyList<string> Stop)
{
    /// <summary>As they were written, but for seed and stop.</summary>
    public required IReadOnlyDictionary<string, JsonElement> Given { get; init; }

    /// <summary>As it was written.</summary>
    public JsonElement? Format { get; init; }

    private const int MostStops = 64;
    private const int LongestStop = 1024;
    private const int MostBiases = 1024;
    private const int MostTopLogprobs = 20;

    private static readonly string[] IgnoredIntegers = ["num_batch", "num_gpu", "main_gpu", "num_thread", "draft_num_predict"];
    private static readonly string[] IgnoredNumbers = ["tfs_z"];
    private static readonly string[] IgnoredFlags =
        ["use_mmap", "use_mlock", "low_vram", "f16_kv", "logits_all", "vocab_only", "numa", "penalize_newline"];

    public static OllamaOptions Read(JsonFields request)
    {
        InferenceOptions inference = new()
        {
            Grammar = FormatField.Read(request),
            TopLogprobs = ReadTopLogprobs(request),
            // Unlike Ollama's default: an answer that ends by length at a full context is better than one that forgot its question.
            Shift = request.Flag("shift") ?? false,
        };
        JsonElement? format = request.Find("format")?.Clone();
        if (request.Object("options") is not { } options)
            return new(inference, null, []) { Given = ReadGiven(request, null), Format = format };
        CheckIgnored(options);
        InferenceOptions read = ReadSampling(options, ReadLimits(options, inference));
        return new(read, options.Integer("seed", long.MinValue, long.MaxValue), ReadStop(options)) { Given = ReadGiven(request, options), Format = format };
    }

    private static Dictionary<string, JsonElement> ReadGiven(JsonFields request, JsonFields? options)
    {
        Dictionary<string, JsonElement> given = [];
        foreach (string name in options?.Names() ?? [])
        {
            if (name is not ("seed" or "stop") && options?.Find(name) is { } value)
                given[name] = value.Clone();
        }
        if (request.Find("shift") is { } shift)
            given["shift"] = shift.Clone();
        return given;
    }

    private static InferenceOptions ReadLimits(JsonFields options, InferenceOptions defaults) => defaults with
    {
        NumCtx = options.Integer("num_ctx", 0) is { } context and > 0 ? (int)context : null,
        NumPredict = options.Integer("num_predict") is { } predict ? NumPredict(predict) : defaults.NumPredict,
        NumKeep = (int?)options.Integer("num_keep", -1) ?? defaults.NumKeep,
        LogitBias = ReadLogitBias(options),
    };

    private static InferenceOptions ReadSampling(JsonFields options, InferenceOptions defaults) => defaults with
    {
        Temperature = options.Number("temperature", 0, 100) ?? defaults.Temperature,
        TopK = Math.Max(0, (int?)options.Integer("top_k") ?? defaults.TopK),
        TopP = options.Number("top_p", 0, 1) ?? defaults.TopP,
        MinP = options.Number("min_p", 0, 1) ?? defaults.MinP,
        TypicalP = options.Number("typical_p", 0, 1) ?? defaults.TypicalP,
        RepeatPenalty = options.Number("repeat_penalty", 0.01f, 100) ?? defaults.RepeatPenalty,
        RepeatLastN = (int?)options.Integer("repeat_last_n", -1) ?? defaults.RepeatLastN,
        PresencePenalty = options.Number("presence_penalty", -100, 100) ?? defaults.PresencePenalty,
        FrequencyPenalty = options.Number("frequency_penalty", -100, 100) ?? defaults.FrequencyPenalty,
        Mirostat = (int?)options.Integer("mirostat", 0, 2) ?? defaults.Mirostat,
        MirostatTau = options.Number("mirostat_tau", 0, 100) ?? defaults.MirostatTau,
        MirostatEta = options.Number("mirostat_eta", 0, 1) ?? defaults.MirostatEta,
    };

    /// <summary>As Ollama: zero and what is below -2 are no limit.</summary>
    private static int NumPredict(long wanted) => wanted switch
    {
        > 0 or -2 => (int)wanted,
        _ => -1,
    };

    /// <summary>As Ollama: top_logprobs without logprobs says nothing.</summary>
    private static int? ReadTopLogprobs(JsonFields request)
    {
        int top = (int?)request.Integer("top_logprobs", 0, MostTopLogprobs) ?? 0;
        return request.Flag("logprobs") == true ? top : null;
    }

    private static IReadOnlyDictionary<int, float> ReadLogitBias(JsonFields options)
    {
        if (options.Object("logit_bias") is not { } biases)
            return ReadOnlyDictionary<int, float>.Empty;
        Dictionary<int, float> read = [];
        foreach (string name in biases.Names())
        {
            if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int token))
                options.Errors.Add(options.PathOf("logit_bias"), "must have token ids as names");
            else
                read[token] = biases.Number(name, -100, 100) ?? 0;
        }
        if (read.Count > MostBiases)
            options.Errors.Add(options.PathOf("logit_bias"), $"must have at most {MostBiases} tokens");
        return read;
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
