namespace OllamaMax.TestKit.Models;

/// <summary>The tensors of a BERT: norms come after what they norm, and have biases.</summary>
internal static class BertTensors
{
    private const int TokenTypes = 2;

    public static IEnumerable<TensorPlan> Of(GgufSpec spec)
    {
        // Positions and types are never quantized: llama.cpp adds types as they are, and ends the process where it cannot.
        GgufSpec exact = spec with { Weights = GgufWeights.F32 };
        yield return TensorPlan.Matrix(spec, "token_embd.weight", spec.Width, spec.VocabularySize, amplitude: 1);
        yield return TensorPlan.Matrix(exact, "position_embd.weight", spec.Width, spec.Context, amplitude: 0.1f);
        yield return TensorPlan.Matrix(exact, "token_types.weight", spec.Width, TokenTypes, amplitude: 0.1f);
        foreach (TensorPlan norm in Norm(spec, "token_embd_norm"))
            yield return norm;
        for (int layer = 0; layer < spec.Layers; layer++)
        {
            foreach (TensorPlan tensor in Layer(spec, $"blk.{layer}."))
                yield return tensor;
        }
    }

    private static IEnumerable<TensorPlan> Layer(GgufSpec spec, string prefix)
    {
        int keyWidth = spec.Width / spec.Heads * spec.KeyValueHeads;
        return
        [
            .. Linear(spec, prefix + "attn_q", spec.Width, spec.Width),
            .. Linear(spec, prefix + "attn_k", spec.Width, keyWidth),
            .. Linear(spec, prefix + "attn_v", spec.Width, keyWidth),
            .. Linear(spec, prefix + "attn_output", spec.Width, spec.Width),
            .. Norm(spec, prefix + "attn_output_norm"),
            .. Linear(spec, prefix + "ffn_up", spec.Width, spec.FeedForward),
            .. Linear(spec, prefix + "ffn_down", spec.FeedForward, spec.Width),
            .. Norm(spec, prefix + "layer_output_norm"),
        ];
    }

    private static IEnumerable<TensorPlan> Linear(GgufSpec spec, string name, int from, int to) =>
        [TensorPlan.Matrix(spec, name + ".weight", from, to), TensorPlan.Vector(spec, name + ".bias", to, 0, 0.1f)];

    private static IEnumerable<TensorPlan> Norm(GgufSpec spec, string name) =>
        [TensorPlan.Vector(spec, name + ".weight", spec.Width, 1, 0), TensorPlan.Vector(spec, name + ".bias", spec.Width, 0, 0.1f)];
}
