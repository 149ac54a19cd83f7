namespace OllamaMax.Models.Gguf.Quantization;

/// <summary>Reads names of tensors as llama.cpp does where it quantizes (src/llama-quant.cpp, <c>tensor_get_category</c> and <c>tensor_allows_quantization</c>).</summary>
internal static class TensorNames
{
    /// <summary>Parts of names of matrices that lose too much, or whose operations take floats only.</summary>
    private static readonly string[] Kept =
    [
        "_norm.weight", "ffn_gate_inp.weight", "ffn_gate_tid2eid.weight", "altup", "laurel", "per_layer_model_proj", "ssm_conv1d", "shortconv.conv.weight",
        "indexer.k_proj.weight", "indexer.q_proj.weight", "time_mix_first.weight", "time_mix_w0.weight", "time_mix_w1.weight", "time_mix_w2.weight", "time_mix_v0.weight",
        "time_mix_v1.weight", "time_mix_v2.weight", "time_mix_a0.weight", "time_mix_a1.weight", "time_mix_a2.weight", "time_mix_g1.weight", "time_mix_g2.weight",
        "time_mix_decay_w1.weight", "time_mix_decay_w2.weight", "time_mix_lerp_fused.weight", "attn_rel_b.weight", ".position_embd", "sam.pos_embd", "sam.neck.", "sam.net_",
        ".rel_pos", ".patch_embd", ".patch_merger", "a.rvq.codebook", "mm.a.code_embd",
    ];

    /// <summary>Whether a matrix of this name may be quantized.</summary>
    public static bool IsQuantized(string name) => name.EndsWith("weight", StringComparison.Ordinal)
        && name is not ("position_embd.weight" or "token_types.weight")
        && !Kept.Any(part => name.Contains(part, StringComparison.Ordinal));

    public static TensorRole RoleOf(string name)
    {
        return name switch
        {
            "output.weight" => TensorRole.Output,
            "token_embd.weight" or "per_layer_token_embd.weight" => TensorRole.Embedding,
            _ when Has("attn_qkv.weight") || Has("attn_kv_b.weight") || Has("attn_v.weight") => TensorRole.AttentionValue,
            _ when Has("attn_k.weight") => TensorRole.AttentionKey,
            _ when Has("attn_q.weight") => TensorRole.Other,
            _ when Has("attn_output.weight") => TensorRole.AttentionOutput,
            _ when Has("ffn_up") || Has("ffn_gate") => TensorRole.Other,
            _ when Has("ffn_down") => TensorRole.FeedForwardDown,
            _ => TensorRole.Other,
        };

        bool Has(string part) => name.Contains(part, StringComparison.Ordinal);
    }

    /// <summary>-1 of what belongs to none.</summary>
    public static int LayerOf(string name)
    {
        const string Prefix = "blk.";
        if (!name.StartsWith(Prefix, StringComparison.Ordinal))
            return -1;
        ReadOnlySpan<char> rest = name.AsSpan(Prefix.Length);
        int digits = rest.IndexOfAnyExceptInRange('0', '9');
        return int.TryParse(digits < 0 ? rest : rest[..digits], out int layer) ? layer : -1;
    }
}
