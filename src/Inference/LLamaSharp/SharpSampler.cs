using System.Buffers;
using System.Runtime.InteropServices;
using LLama.Native;
using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.LLamaSharp;

/// <summary>Penalties and filters of llama.cpp by way of LLamaSharp. The draw is made in <see cref="SeededDraw"/>.</summary>
internal sealed class SharpSampler : SamplingChain
{
    private readonly SafeLLamaSamplerChainHandle _penalties;
    private readonly SafeLLamaSamplerChainHandle _filters;
    private readonly LLamaTokenData[] _data;

    public SharpSampler(SamplerConfig config, int vocabularySize)
        : base(config, vocabularySize)
    {
        _data = new LLamaTokenData[vocabularySize];
        _penalties = SafeLLamaSamplerChainHandle.Create(LLamaSamplerChainParams.Default());
        _penalties.AddPenalties(
            config.PenaltyWindow, config.Options.RepeatPenalty, config.Options.FrequencyPenalty, config.Options.PresencePenalty);

        _filters = SafeLLamaSamplerChainHandle.Create(LLamaSamplerChainParams.Default());
        if (config.Options.TopK > 0)
            _filters.AddTopK(config.Options.TopK);
        if (config.Options.TopP < 1)
            _filters.AddTopP(config.Options.TopP, 1);
        if (config.Options.MinP > 0)
            _filters.AddMinP(config.Options.MinP, 1);
        _filters.AddTemperature(config.Options.Temperature);
    }

    public override void Dispose()
    {
        _penalties.Dispose();
        _filters.Dispose();
    }

    protected override void AcceptPenalized(int token) => _penalties.Accept(token);

    protected override void Penalize(Span<Candidate> candidates) => Apply(_penalties, candidates);

    protected override int Filter(Span<Candidate> candidates) => Apply(_filters, candidates);

    // LLamaSharp pins memory of its own type; both are laid out as llama_token_data.
    private int Apply(SafeLLamaSamplerChainHandle chain, Span<Candidate> candidates)
    {
        if (candidates.IsEmpty)
            return 0;
        Span<Candidate> data = MemoryMarshal.Cast<LLamaTokenData, Candidate>(_data.AsSpan(0, candidates.Length));
        candidates.CopyTo(data);
        LLamaTokenDataArray array = new(_data.AsMemory(0, candidates.Length));
        using MemoryHandle pinned = LLamaTokenDataArrayNative.Create(array, out LLamaTokenDataArrayNative native);
        chain.Apply(ref native);
        int left = (int)native.Size;
        data[..left].CopyTo(candidates);
        return left;
    }
}
