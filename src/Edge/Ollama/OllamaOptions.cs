using System.Collections.Frozen;
using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Ollama;

/// <summary>
/// The <c>options</c> object, and what else in a request says how to decode: <c>format</c>, <c>logprobs</c>, <c>top_logprobs</c>, <c>shift</c>.
/// Unknown names are ignored as Ollama does; known ones that steer how a server loads models are ignored too but must have their type.
/// Beyond Ollama's there is <c>logit_bias</c>, in OpenAI's form: <c>{"token id": -100 to 100}</c>.
/// </summary>
internal static class OllamaOptions
{
    private static readonly FrozenSet<string> Used = FrozenSet.Create(
        "num_ctx", "num_predict", "num_keep", "logit_bias", "seed", "stop", "temperature", "top_k", "top_p", "min_p", "typical_p", "repeat_penalty", "repeat_last_n",
        "presence_penalty", "frequency_penalty", "mirostat", "mirostat_tau", "mirostat_eta");

    private static readonly string[] IgnoredIntegers = ["num_batch", "num_gpu", "main_gpu", "num_thread", "draft_num_predict"];
    private static readonly string[] IgnoredNumbers = ["tfs_z"];
    private static readonly string[] IgnoredFlags =
        ["use_mmap", "use_mlock", "low_vram", "f16_kv", "logits_all", "vocab_only", "numa", "penalize_newline"];

    public static RequestedOptions Read(JsonFields request) => ReadOptions(request.Object("options")) with
    {
        Format = FormatField.Read(request),
        TopLogprobs = ReadTopLogprobs(request),
        Shift = request.Flag("shift"),
    };

    /// <param name="options">The object itself, of a request or of a model's parameters.</param>
    public static RequestedOptions ReadOptions(JsonFields? options)
    {
        if (options is not { } given)
            return new();
        CheckIgnored(given);
        return ReadSampling(given, ReadLimits(given)) with { Others = ReadOthers(given) };
    }

    private static Dictionary<string, JsonElement>? ReadOthers(JsonFields options)
    {
        Dictionary<string, JsonElement> others = [];
        foreach (string name in options.Names())
        {
            if (!Used.Contains(name) && options.Find(name) is { } value)
                others[name] = value.Clone();
        }
        return others.Count > 0 ? others : null;
    }

    private static RequestedOptions ReadLimits(JsonFields options) => new()
    {
        NumCtx = options.Integer("num_ctx", 0) is { } context and > 0 ? (int)context : null,
        NumPredict = options.Integer("num_predict") is { } predict ? NumPredict(predict) : null,
        NumKeep = (int?)options.Integer("num_keep", -1),
        LogitBias = SamplingFields.ReadLogitBias(options),
        Seed = options.Integer("seed", long.MinValue, long.MaxValue),
        Stop = SamplingFields.ReadStops(options, "stop"),
    };

    private static RequestedOptions ReadSampling(JsonFields options, RequestedOptions limits) => limits with
    {
        Temperature = options.Number("temperature", 0, 100),
        TopK = (int?)options.Integer("top_k") is { } top ? Math.Max(0, top) : null,
        TopP = options.Number("top_p", 0, 1),
        MinP = options.Number("min_p", 0, 1),
        TypicalP = options.Number("typical_p", 0, 1),
        RepeatPenalty = options.Number("repeat_penalty", 0.01f, 100),
        RepeatLastN = (int?)options.Integer("repeat_last_n", -1),
        PresencePenalty = options.Number("presence_penalty", -100, 100),
        FrequencyPenalty = options.Number("frequency_penalty", -100, 100),
        Mirostat = (int?)options.Integer("mirostat", 0, 2),
        MirostatTau = options.Number("mirostat_tau", 0, 100),
        MirostatEta = options.Number("mirostat_eta", 0, 1),
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
        int top = (int?)request.Integer("top_logprobs", 0, SamplingFields.MostTopLogprobs) ?? 0;
        return request.Flag("logprobs") == true ? top : null;
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
