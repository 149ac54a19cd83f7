namespace OllamaMax.Inference.Native.LlamaCpp;

/// <summary>Penalties and filters of llama.cpp. They hold no randomness: the draw is made in <see cref="SeededDraw"/>.</summary>
internal sealed unsafe class LlamaSampler : SamplingChain
{
    private readonly LlamaSamplerHandle _penalties;
    private readonly LlamaSamplerHandle _filters;

    public LlamaSampler(SamplerConfig config, int vocabularySize)
        : base(config, vocabularySize)
    {
        _penalties = LlamaApi.SamplerChain(noPerformance: 1);
        LlamaApi.SamplerAdd(_penalties, LlamaApi.SamplerPenalties(vocabularySize, config.PenaltyWindow,
            config.Options.RepeatPenalty, config.Options.FrequencyPenalty, config.Options.PresencePenalty));

        _filters = LlamaApi.SamplerChain(noPerformance: 1);
        if (config.Options.TopK > 0)
            LlamaApi.SamplerAdd(_filters, LlamaApi.SamplerTopK(config.Options.TopK));
        if (config.Options.TopP < 1)
            LlamaApi.SamplerAdd(_filters, LlamaApi.SamplerTopP(config.Options.TopP, 1));
        if (config.Options.MinP > 0)
            LlamaApi.SamplerAdd(_filters, LlamaApi.SamplerMinP(config.Options.MinP, 1));
        LlamaApi.SamplerAdd(_filters, LlamaApi.SamplerTemperature(config.Options.Temperature));
    }

    public override void Dispose()
    {
        _penalties.Dispose();
        _filters.Dispose();
    }

    protected override void AcceptPenalized(int token) => LlamaApi.SamplerAccept(_penalties, token);

    protected override void Penalize(Span<Candidate> candidates) => Apply(_penalties, candidates);

    protected override int Filter(Span<Candidate> candidates) => Apply(_filters, candidates);

    private static int Apply(LlamaSamplerHandle chain, Span<Candidate> candidates)
    {
        if (candidates.IsEmpty)
            return 0;
        fixed (Candidate* data = candidates)
        {
            LlamaTokenDataArray array = new() { Data = data, Size = (nuint)candidates.Length, Selected = -1 };
            LlamaApi.SamplerApply(chain, ref array);
            return (int)array.Size;
        }
    }
}
