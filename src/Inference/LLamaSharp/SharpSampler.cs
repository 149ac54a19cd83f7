using System.Buffers;
using System.Runtime.InteropServices;
using LLama.Native;
using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.LLamaSharp;

/// <summary>Filters of llama.cpp by way of LLamaSharp. The draw is made in <see cref="SeededDraw"/>.</summary>
/// <remarks>
/// Everything but typical_p, top_p, min_p and temperature is <see cref="SamplingChain"/>, which both natives share: bias, penalties, top_k,
/// Mirostat and the grammar are the same code, not LLamaSharp's <c>AddLogitBias</c>, <c>AddPenalties</c>, <c>AddMirostat*Sampler</c> and <c>AddGrammar</c>. The
/// differences that are left: LLamaSharp's native library is another version of llama.cpp, so that filters may round differently; and it pins
/// memory of its own type, so that candidates are copied there and back (40 with the default top_k, the vocabulary without one).
/// </remarks>
internal sealed class SharpSampler : SamplingChain
{
    private readonly SafeLLamaSamplerChainHandle _filters;
    private readonly LLamaTokenData[] _data;

    public SharpSampler(SamplerConfig config, TokenTable tokens)
        : base(config, tokens)
    {
        _data = config.IsGreedy || config.IsMirostat ? [] : new LLamaTokenData[config.CandidateCount(tokens.Size)];
        _filters = SafeLLamaSamplerChainHandle.Create(LLamaSamplerChainParams.Default());
        if (config.Options.TypicalP < 1)
            _filters.AddTypical(config.Options.TypicalP, 1);
        if (config.Options.TopP < 1)
            _filters.AddTopP(config.Options.TopP, 1);
        if (config.Options.MinP > 0)
            _filters.AddMinP(config.Options.MinP, 1);
        _filters.AddTemperature(config.Options.Temperature);
    }

    public override void Dispose() => _filters.Dispose();

    protected override int Filter(Span<Candidate> candidates, bool isSorted)
    {
        // Both are laid out as llama_token_data.
        Span<Candidate> data = MemoryMarshal.Cast<LLamaTokenData, Candidate>(_data.AsSpan(0, candidates.Length));
        candidates.CopyTo(data);
        LLamaTokenDataArray array = new(_data.AsMemory(0, candidates.Length), isSorted);
        using MemoryHandle pinned = LLamaTokenDataArrayNative.Create(array, out LLamaTokenDataArrayNative native);
        _filters.Apply(ref native);
        int left = (int)native.Size;
        data[..left].CopyTo(candidates);
        return left;
    }
}
