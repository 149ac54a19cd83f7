namespace OllamaMax.Inference.Native.LlamaCpp;

/// <summary>Filters of llama.cpp. They hold no randomness: the draw is made in <see cref="SeededDraw"/>.</summary>
internal sealed unsafe class LlamaSampler : SamplingChain
{
    private readonly LlamaSamplerHandle _filters;

    public LlamaSampler(SamplerConfig config, TokenTable tokens)
        : base(config, tokens)
    {
        _filters = LlamaApi.SamplerChain(noPerformance: 1);
        if (config.Options.TypicalP < 1)
            LlamaApi.SamplerAdd(_filters, LlamaApi.SamplerTypical(config.Options.TypicalP, 1));
        if (config.Options.TopP < 1)
            LlamaApi.SamplerAdd(_filters, LlamaApi.SamplerTopP(config.Options.TopP, 1));
        if (config.Options.MinP > 0)
            LlamaApi.SamplerAdd(_filters, LlamaApi.SamplerMinP(config.Options.MinP, 1));
        LlamaApi.SamplerAdd(_filters, LlamaApi.SamplerTemperature(config.Options.Temperature));
    }

    public override void Dispose() => _filters.Dispose();

    protected override int Filter(Span<Candidate> candidates, bool isSorted)
    {
        fixed (Candidate* data = candidates)
        {
            LlamaTokenDataArray array = new()
            {
                Data = data,
                Size = (nuint)candidates.Length,
                Selected = -1,
                Sorted = isSorted ? (byte)1 : (byte)0,
            };
            LlamaApi.SamplerApply(_filters, ref array);
            return (int)array.Size;
        }
    }
}
