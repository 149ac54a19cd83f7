using OllamaMax.Inference.Native.Grammars;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Native;

/// <param name="Options">What the job asks for.</param>
/// <param name="Seed">Every draw is a function of this and its position.</param>
/// <param name="ContextLength">Tokens that there can be: the bound of <see cref="InferenceOptions.RepeatLastN"/>.</param>
internal sealed record SamplerConfig(InferenceOptions Options, ulong Seed, int ContextLength)
{
    // What single precision divides logits by without leaving its range; less makes no difference to taking the likeliest.
    private const float LeastTemperature = 1e-5f;

    // Logits stay numbers with these, whatever the model computed and however often a token was there.
    private const float LargestPenalty = 1e6f;

    /// <summary><see cref="InferenceOptions.Grammar"/>, read.</summary>
    public Grammar? Grammar { get; init; }

    // More than the context has no meaning.
    public int PenaltyWindow => Options.RepeatLastN < 0 ? ContextLength : Math.Min(Options.RepeatLastN, ContextLength);

    public bool HasPenalties => PenaltyWindow > 0
        && (Options.RepeatPenalty != 1 || Options.PresencePenalty != 0 || Options.FrequencyPenalty != 0);

    /// <summary>The likeliest token each time: nothing is drawn.</summary>
    public bool IsGreedy => Options.Temperature < LeastTemperature;

    public bool IsMirostat => Options.Mirostat != 0 && !IsGreedy;

    /// <summary>Most tokens that one is drawn from.</summary>
    public int CandidateCount(int vocabularySize) =>
        Options.Mirostat != 0 || Options.TopK <= 0 ? vocabularySize : Math.Min(Options.TopK, vocabularySize);

    /// <returns>What is wrong, naming the option; null when nothing is.</returns>
    public string? Error(int vocabularySize) => NumberError() ?? BiasError(vocabularySize);

    private string? NumberError() => Options switch
    {
        { Temperature: var t } when !float.IsFinite(t) => "temperature must be a finite number",
        { TopP: var p } when !float.IsFinite(p) => "top_p must be a finite number",
        { MinP: var p } when !float.IsFinite(p) => "min_p must be a finite number",
        { TypicalP: var p } when !float.IsFinite(p) => "typical_p must be a finite number",
        { RepeatPenalty: var r } when !(r >= 1 / LargestPenalty && r <= LargestPenalty) => $"repeat_penalty must be greater than 0, from 0.000001 to {LargestPenalty:0}",
        { PresencePenalty: var p } when !(Math.Abs(p) <= LargestPenalty) => $"presence_penalty must be from -{LargestPenalty:0} to {LargestPenalty:0}",
        { FrequencyPenalty: var f } when !(Math.Abs(f) <= LargestPenalty) => $"frequency_penalty must be from -{LargestPenalty:0} to {LargestPenalty:0}",
        { Mirostat: < 0 or > 2 } => $"mirostat is {Options.Mirostat}; it must be 0, 1 or 2",
        { MirostatTau: var t } when !(t >= 0 && t <= 100) => "mirostat_tau must be from 0 to 100",
        { MirostatEta: var e } when !(e >= 0 && e <= 100) => "mirostat_eta must be from 0 to 100",
        { TopLogprobs: < 0 or > Logprobs.MaxTop } => $"top_logprobs is {Options.TopLogprobs}; it must be from 0 to {Logprobs.MaxTop}",
        _ => null,
    };

    private string? BiasError(int vocabularySize)
    {
        foreach ((int token, float bias) in Options.LogitBias)
        {
            if (token < 0 || token >= vocabularySize)
                return $"logit_bias names token {token}, which this model does not have: it has {vocabularySize}";
            // Any number at or below -100 forbids, minus infinity too.
            if (float.IsNaN(bias) || bias > LargestPenalty)
                return $"logit_bias of token {token} must be a number of at most {LargestPenalty:0}";
        }
        return null;
    }
}
