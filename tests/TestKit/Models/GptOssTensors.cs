namespace OllamaMax.TestKit.Models;

/// <summary>A gpt-oss: its layers, and what its metadata have more than others'.</summary>
internal static class GptOssTensors
{
    private const int Experts = 4;

    public static IEnumerable<KeyValuePair<string, object>> Metadata(GgufSpec spec) =>
    [
        new("gpt-oss.expert_count", (uint)Experts),
        new("gpt-oss.expert_used_count", 2u),
        new("gpt-oss.expert_feed_forward_length", (uint)spec.FeedForward),
        new("gpt-oss.attention.sliding_window", (uint)spec.SlidingWindow),
        new("gpt-oss.rope.scaling.type", "yarn"),
        new("gpt-oss.rope.scaling.factor", 4f),
        new("gpt-oss.rope.scaling.original_context_length", (uint)(spec.Context / 4)),
    ];

    public static IEnumerable<TensorPlan> Layer(GgufSpec spec, string prefix)
    {
        int keyWidth = spec.Width / spec.Heads * spec.KeyValueHeads;
        return
        [
            TensorPlan.Vector(spec, prefix + "attn_norm.weight", spec.Width, 1, 0),
            .. Biased(spec, prefix + "attn_q", spec.Width, spec.Width),
            .. Biased(spec, prefix + "attn_k", spec.Width, keyWidth),
            .. Biased(spec, prefix + "attn_v", spec.Width, keyWidth),
            TensorPlan.Matrix(spec, prefix + "attn_output.weight", spec.Width, spec.Width, TensorPlan.KeepConstant),
            TensorPlan.Vector(spec, prefix + "attn_output.bias", spec.Width, 0, 0),
            TensorPlan.Vector(spec, prefix + "attn_sinks.weight", spec.Heads, 0, 1),
            TensorPlan.Vector(spec, prefix + "post_attention_norm.weight", spec.Width, 1, 0),
            .. Biased(spec, prefix + "ffn_gate_inp", spec.Width, Experts),
            TensorPlan.Experts(spec, prefix + "ffn_gate_exps.weight", spec.Width, spec.FeedForward, Experts),
            TensorPlan.Experts(spec, prefix + "ffn_up_exps.weight", spec.Width, spec.FeedForward, Experts),
            TensorPlan.Experts(spec, prefix + "ffn_down_exps.weight", spec.FeedForward, spec.Width, Experts, TensorPlan.KeepConstant),
            Bias(spec, prefix + "ffn_gate_exps.bias", spec.FeedForward),
            Bias(spec, prefix + "ffn_up_exps.bias", spec.FeedForward),
            TensorPlan.Matrix(spec with { Weights = GgufWeights.F32 }, prefix + "ffn_down_exps.bias", spec.Width, Experts, static (_, row) => Array.Clear(row)),
        ];
    }

    private static TensorPlan[] Biased(GgufSpec spec, string name, int rowLength, int rows) =>
        [TensorPlan.Matrix(spec with { Weights = GgufWeights.F32 }, name + ".weight", rowLength, rows), TensorPlan.Vector(spec, name + ".bias", rows, 0, 0.1f)];

    private static TensorPlan Bias(GgufSpec spec, string name, int rowLength) =>
        TensorPlan.Matrix(spec with { Weights = GgufWeights.F32 }, name, rowLength, Experts, amplitude: 0.1f);
}
