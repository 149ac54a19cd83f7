namespace OllamaMax.TestKit.Models;

/// <summary>The tensors of a Mamba: each layer mixes a few tokens by a convolution, and all before them by a state.</summary>
internal static class MambaTensors
{
    private const int Convolution = 4;
    private const int State = 16;

    public static IEnumerable<KeyValuePair<string, object>> Metadata(GgufSpec spec) =>
    [
        new("mamba.ssm.conv_kernel", (uint)Convolution),
        new("mamba.ssm.inner_size", (uint)Inner(spec)),
        new("mamba.ssm.state_size", (uint)State),
        new("mamba.ssm.time_step_rank", (uint)Rank(spec)),
    ];

    public static IEnumerable<TensorPlan> Layer(GgufSpec spec, string prefix)
    {
        // Rows of these are no multiples of a block, and llama.cpp computes with them as they are.
        GgufSpec exact = spec with { Weights = GgufWeights.F32 };
        int inner = Inner(spec), rank = Rank(spec);
        yield return TensorPlan.Vector(spec, prefix + "attn_norm.weight", spec.Width, 1, 0);
        yield return TensorPlan.Matrix(spec, prefix + "ssm_in.weight", spec.Width, 2 * inner);
        yield return TensorPlan.Matrix(exact, prefix + "ssm_conv1d.weight", Convolution, inner);
        yield return TensorPlan.Vector(spec, prefix + "ssm_conv1d.bias", inner, 0, 0.1f);
        yield return TensorPlan.Matrix(spec, prefix + "ssm_x.weight", inner, rank + (2 * State));
        yield return TensorPlan.Matrix(exact, prefix + "ssm_dt.weight", rank, inner);
        // Small steps, so that the state remembers tokens of long ago.
        yield return TensorPlan.Vector(spec, prefix + "ssm_dt.bias", inner, -2, 1);
        yield return TensorPlan.Matrix(exact, prefix + "ssm_a", State, inner, Decay, amplitude: 0.9f);
        yield return TensorPlan.Vector(spec, prefix + "ssm_d", inner, 1, 0.1f);
        yield return TensorPlan.Matrix(spec, prefix + "ssm_out.weight", inner, spec.Width, TensorPlan.KeepConstant);
    }

    // llama.cpp knows no other.
    private static int Inner(GgufSpec spec) => 2 * spec.Width;

    private static int Rank(GgufSpec spec) => spec.Width / 16;

    // Below zero, or the state grows without bound.
    private static void Decay(int index, float[] row)
    {
        for (int i = 0; i < row.Length; i++)
            row[i] -= 1;
    }
}
