using OllamaMax.Jobs;

namespace OllamaMax.Inference.Native;

/// <param name="Options">What the job asks for.</param>
/// <param name="Seed">Every draw is a function of this and its position.</param>
/// <param name="ContextLength">Tokens that there can be: the bound of <see cref="InferenceOptions.RepeatLastN"/>.</param>
internal sealed record SamplerConfig(InferenceOptions Options, ulong Seed, int ContextLength)
{
    // More than the context has no meaning, and the native sampler allocates what it is told: 8 GB for the largest number.
    public int PenaltyWindow => Options.RepeatLastN < 0 ? ContextLength : Math.Min(Options.RepeatLastN, ContextLength);

    public bool HasPenalties => PenaltyWindow > 0
        && (Options.RepeatPenalty != 1 || Options.PresencePenalty != 0 || Options.FrequencyPenalty != 0);

    /// <summary>The likeliest token each time: nothing is drawn.</summary>
    public bool IsGreedy => Options.Temperature <= 0;

    /// <returns>What is wrong, naming the option; null when nothing is.</returns>
    public string? Error() => this switch
    {
        { Options.Temperature: var t } when !float.IsFinite(t) => "temperature must be a finite number",
        { Options.TopP: var p } when float.IsNaN(p) => "top_p must be a number",
        { Options.MinP: var p } when float.IsNaN(p) => "min_p must be a number",
        { Options.RepeatPenalty: var r } when !float.IsFinite(r) || r <= 0 => "repeat_penalty must be greater than 0",
        { Options.PresencePenalty: var p } when !float.IsFinite(p) => "presence_penalty must be a finite number",
        { Options.FrequencyPenalty: var f } when !float.IsFinite(f) => "frequency_penalty must be a finite number",
        _ => null,
    };
}
