namespace OllamaMax.TestKit.Models;

/// <summary>What an LFM2 has beside attention: layers that mix a few tokens by a convolution.</summary>
internal static class Lfm2Tensors
{
    /// <summary>Tokens that are mixed.</summary>
    public const int Convolution = 3;

    public static bool HasAttention(int layer) => layer % 2 == 1;

    public static IEnumerable<TensorPlan> Convolving(GgufSpec spec, string prefix) =>
    [
        TensorPlan.Vector(spec, prefix + "attn_norm.weight", spec.Width, 1, 0),
        // Rows of it are no multiples of a block.
        TensorPlan.Matrix(spec with { Weights = GgufWeights.F32 }, prefix + "shortconv.conv.weight", Convolution, spec.Width),
        TensorPlan.Matrix(spec, prefix + "shortconv.in_proj.weight", spec.Width, 3 * spec.Width),
        TensorPlan.Matrix(spec, prefix + "shortconv.out_proj.weight", spec.Width, spec.Width, TensorPlan.KeepConstant),
        .. TensorPlan.FeedForward(spec, prefix),
    ];
}
