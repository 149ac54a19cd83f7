namespace OllamaMax.TestKit.Models;

/// <summary>
/// Models as Ollama's own engine has them in the files of its registry, by what Ollama does to load those in llama.cpp
/// (https://github.com/ollama/ollama/tree/main/llama/compat).
/// </summary>
internal static class OllamaForm
{
    public static (IReadOnlyList<TensorPlan> Tensors, IReadOnlyList<KeyValuePair<string, object>> Metadata) Of(
        GgufSpec spec, IReadOnlyList<TensorPlan> tensors, IReadOnlyList<KeyValuePair<string, object>> metadata) => spec.Architecture switch
    {
        GgufArchitecture.GptOss => (
            [.. tensors.Select(tensor => tensor.Named(tensor.Name
                .Replace(".attn_output.", ".attn_out.", StringComparison.Ordinal)
                .Replace(".attn_sinks.weight", ".attn_sinks", StringComparison.Ordinal)
                .Replace(".post_attention_norm.", ".ffn_norm.", StringComparison.Ordinal)))],
            [
                .. metadata.Where(pair => pair.Key is not ("gpt-oss.expert_feed_forward_length" or "gpt-oss.rope.scaling.type")).Select(pair => pair.Key switch
                {
                    "general.architecture" => new(pair.Key, "gptoss"),
                    "tokenizer.ggml.pre" => new(pair.Key, "default"),
                    _ => new KeyValuePair<string, object>(pair.Key.Replace("gpt-oss.", "gptoss.", StringComparison.Ordinal), pair.Value),
                }),
            ]),
        GgufArchitecture.Gemma3 => (
            [
                TensorPlan.Matrix(spec, "v.blk.0.attn_q.weight", spec.Width, spec.Width), .. tensors, TensorPlan.Matrix(spec, "mm.mm_input_projection.weight", spec.Width, spec.Width),
            ],
            [
                .. metadata.Where(pair => pair.Key != "gemma3.attention.layer_norm_rms_epsilon").Select(pair => (pair.Key, pair.Value) switch
                {
                    ("gemma3.rope.freq_base", _) => new("gemma3.rope.global.freq_base", pair.Value),
                    ("tokenizer.ggml.tokens", string[] tokens) => new(pair.Key, (string[])[.. tokens, "<image_soft_token>"]),
                    ("tokenizer.ggml.scores", float[] scores) => new(pair.Key, (float[])[.. scores, 0]),
                    ("tokenizer.ggml.token_type", int[] types) => new(pair.Key, (int[])[.. types, 4]),
                    _ => pair,
                }),
                new("gemma3.mm.tokens_per_image", 256u),
                new("gemma3.vision.block_count", 1u),
                new("tokenizer.ggml.add_padding_token", false),
            ]),
        GgufArchitecture.Lfm2 => (
            [.. tensors.Select(tensor => tensor.Name == "token_embd_norm.weight" ? tensor.Named("output_norm.weight") : tensor)],
            [.. metadata.Select(pair => pair.Key switch
            {
                "lfm2.feed_forward_length" => new(pair.Key, 12345u),
                "tokenizer.ggml.pre" => new KeyValuePair<string, object>(pair.Key, "default"),
                _ => pair,
            })]),
        _ => throw new ArgumentException($"Ollama has {spec.Architecture} as llama.cpp has it, or is not known to have it otherwise.", nameof(spec)),
    };
}
