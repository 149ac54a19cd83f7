using System.Text.Json;
using System.Text.Json.Serialization;

namespace OllamaMax.Jobs;

/// <summary>
/// What somebody has said about decoding, a request or a model's Modelfile: null where nothing was said. Names, units and ranges are those of
/// <see cref="InferenceOptions"/>.
/// </summary>
public sealed record RequestedOptions
{
    public int? NumCtx { get; init; }

    public int? NumPredict { get; init; }

    public int? NumKeep { get; init; }

    public float? Temperature { get; init; }

    public int? TopK { get; init; }

    public float? TopP { get; init; }

    public float? MinP { get; init; }

    public float? TypicalP { get; init; }

    public float? RepeatPenalty { get; init; }

    public int? RepeatLastN { get; init; }

    public float? PresencePenalty { get; init; }

    public float? FrequencyPenalty { get; init; }

    public int? Mirostat { get; init; }

    public float? MirostatTau { get; init; }

    public float? MirostatEta { get; init; }

    /// <summary>Null or negative: drawn for each request.</summary>
    public long? Seed { get; init; }

    /// <summary>Strings that end the answer.</summary>
    public IReadOnlyList<string>? Stop { get; init; }

    /// <summary>Of a request only.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<int, float>? LogitBias { get; init; }

    /// <summary>Of a request only.</summary>
    [JsonIgnore]
    public bool? Shift { get; init; }

    /// <summary>Of a request only.</summary>
    [JsonIgnore]
    public int? TopLogprobs { get; init; }

    /// <summary>Of a request only.</summary>
    [JsonIgnore]
    public RequestedFormat? Format { get; init; }

    /// <summary>Of a request only: options that mean nothing here, and may to a server that is forwarded to.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<string, JsonElement>? Others { get; init; }

    /// <summary>These, and where they say nothing, <paramref name="defaults"/>.</summary>
    public RequestedOptions Over(RequestedOptions defaults) => new()
    {
        NumCtx = NumCtx ?? defaults.NumCtx,
        NumPredict = NumPredict ?? defaults.NumPredict,
        NumKeep = NumKeep ?? defaults.NumKeep,
        Temperature = Temperature ?? defaults.Temperature,
        TopK = TopK ?? defaults.TopK,
        TopP = TopP ?? defaults.TopP,
        MinP = MinP ?? defaults.MinP,
        TypicalP = TypicalP ?? defaults.TypicalP,
        RepeatPenalty = RepeatPenalty ?? defaults.RepeatPenalty,
        RepeatLastN = RepeatLastN ?? defaults.RepeatLastN,
        PresencePenalty = PresencePenalty ?? defaults.PresencePenalty,
        FrequencyPenalty = FrequencyPenalty ?? defaults.FrequencyPenalty,
        Mirostat = Mirostat ?? defaults.Mirostat,
        MirostatTau = MirostatTau ?? defaults.MirostatTau,
        MirostatEta = MirostatEta ?? defaults.MirostatEta,
        Seed = Seed ?? defaults.Seed,
        Stop = Stop ?? defaults.Stop,
        LogitBias = LogitBias ?? defaults.LogitBias,
        Shift = Shift ?? defaults.Shift,
        TopLogprobs = TopLogprobs ?? defaults.TopLogprobs,
        Format = Format ?? defaults.Format,
        Others = Others ?? defaults.Others,
    };

    /// <summary>What a job is run with: defaults where nothing was said.</summary>
    public InferenceOptions ToInference()
    {
        InferenceOptions defaults = new();
        return new()
        {
            NumCtx = NumCtx,
            NumPredict = NumPredict ?? defaults.NumPredict,
            NumKeep = NumKeep ?? defaults.NumKeep,
            Temperature = Temperature ?? defaults.Temperature,
            TopK = TopK ?? defaults.TopK,
            TopP = TopP ?? defaults.TopP,
            MinP = MinP ?? defaults.MinP,
            TypicalP = TypicalP ?? defaults.TypicalP,
            RepeatPenalty = RepeatPenalty ?? defaults.RepeatPenalty,
            RepeatLastN = RepeatLastN ?? defaults.RepeatLastN,
            PresencePenalty = PresencePenalty ?? defaults.PresencePenalty,
            FrequencyPenalty = FrequencyPenalty ?? defaults.FrequencyPenalty,
            Mirostat = Mirostat ?? defaults.Mirostat,
            MirostatTau = MirostatTau ?? defaults.MirostatTau,
            MirostatEta = MirostatEta ?? defaults.MirostatEta,
            LogitBias = LogitBias ?? defaults.LogitBias,
            // Unlike Ollama's default: an answer that ends by length at a full context is better than one that forgot its question.
            Shift = Shift ?? defaults.Shift,
            TopLogprobs = TopLogprobs,
            Grammar = Format?.Grammar,
        };
    }
}
