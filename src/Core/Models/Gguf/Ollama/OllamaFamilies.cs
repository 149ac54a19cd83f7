using System.Text;

namespace OllamaMax.Models.Gguf.Ollama;

/// <summary>
/// The families that Ollama's engine has in a form of its own: what Ollama's <c>llama/compat</c> does to the part of them that reads and writes text, held against llama.cpp's <c>src/models</c>.
/// </summary>
internal static class OllamaFamilies
{
    private const string Template = "tokenizer.chat_template";
    private const string PreTokenizer = "tokenizer.ggml.pre";

    private static readonly string[] Seeing = ["v.", "mm."];

    private static readonly (string, string)[] ShortNames = [(@"\.ssm_dt$", ".ssm_dt.bias")];

    /// <summary>The architectures that see first and read then.</summary>
    private static readonly string[] Untranslatable = ["mllama", "deepseekocr", "glmocr"];

    /// <summary>The first that has a file is the one to translate it.</summary>
    public static IReadOnlyList<OllamaFamily> All { get; } =
    [
        new("gptoss")
        {
            Becomes = "gpt-oss",
            Defaults = [(".rope.scaling.type", "yarn"), (Template, ReadTemplate("gpt-oss"))],
            Values = [(PreTokenizer, "gpt-4o")],
            Tensors = [(@"\.attn_out\.", ".attn_output."), (@"\.attn_sinks$", ".attn_sinks.weight"), (@"\.ffn_norm\.", ".post_attention_norm.")],
            Rest = static (file, architecture) => SetMissing(file, $"{architecture}.expert_feed_forward_length", "blk.0.ffn_gate_exps.weight", 1),
        },
        new("gemma3")
        {
            Becomes = "gemma-embedding",
            IsOwn = static file => file.HasTensors("dense.0.weight"),
            Removed = [".attention.causal", ".attention.sliding_window_pattern"],
            Defaults = [(".rope.freq_base_swa", 10000f)],
            Tensors = [(@"^dense\.0\.weight$", "dense_2.weight"), (@"^dense\.1\.weight$", "dense_3.weight"), (@"^norm\.weight$", "output_norm.weight")],
            Rest = OllamaSteps.SizeDenseLayers,
        },
        new("gemma3")
        {
            IsOwn = static file => !file.Has("gemma3.attention.layer_norm_rms_epsilon"),
            OwnKeys = [".mm.tokens_per_image", "tokenizer.ggml.add_padding_token", "tokenizer.ggml.add_unknown_token"],
            Dropped = Seeing,
            Keys = [(".rope.global.freq_base", ".rope.freq_base"), (".rope.local.freq_base", ".rope.freq_base_swa")],
            Defaults = [(".attention.layer_norm_rms_epsilon", 1e-6f), (".rope.freq_base", 1000000f), (".rope.freq_base_swa", 10000f), (Template, ReadTemplate("gemma3"))],
            Rest = OllamaSteps.FinishGemma3,
        },
        new("gemma3n")
        {
            IsOwn = static file => file.Tensor("token_embd.weight") is { } all && file.Tensor("per_layer_token_embd.weight") is { } text && text.Dimension(1) < all.Dimension(1),
            Dropped = [.. Seeing, "a."],
            Values = [("tokenizer.ggml.model", "llama")],
            Rest = OllamaSteps.CutGemma3n,
        },
        new("gemma4")
        {
            IsOwn = static file => file.Text("tokenizer.ggml.model") == "llama",
            Dropped = [.. Seeing, "a.", "model.vision_tower."],
            Values = [("tokenizer.ggml.model", "gemma4")],
            Tensors = [(@"\.ffn_gate_inp\.per_expert_scale$", ".ffn_down_exps.scale")],
        },
        new("qwen25vl") { Becomes = "qwen2vl", Dropped = Seeing, Keys = [(".rope.mrope_section", ".rope.dimension_sections")], Rest = OllamaSteps.PadSections },
        QwenThatSees("qwen3vl"),
        QwenThatSees("qwen3vlmoe"),
        Qwen35("qwen35"),
        Qwen35("qwen35moe"),
        new("qwen3next")
        {
            IsOwn = static file => file.HasTensorsThatEnd(".ssm_dt"),
            Tensors = ShortNames,
            Rest = OllamaSteps.JoinHeads,
        },
        new("mistral3")
        {
            Dropped = Seeing,
            Keys =
            [
                (".rope.scaling.beta_fast", ".rope.scaling.yarn_beta_fast"), (".rope.scaling.beta_slow", ".rope.scaling.yarn_beta_slow"),
                (".rope.scaling.mscale_all_dim", ".rope.scaling.yarn_log_multiplier"), (".rope.scaling_beta", ".attention.temperature_scale"),
            ],
            Rest = static (file, _) =>
            {
                if (file.Text(PreTokenizer) is null or "" or "default")
                    file.Set(PreTokenizer, "tekken");
            },
        },
        new("llama4") { Dropped = Seeing },
        new("lfm2")
        {
            IsOwn = static file => file.HasTensors("output_norm.weight") && !file.HasTensors("token_embd_norm.weight"),
            Values = [(PreTokenizer, "lfm2")],
            Tensors = [(@"^output_norm\.weight$", "token_embd_norm.weight")],
            Rest = static (file, architecture) =>
            {
                if (file.Tensor("blk.0.ffn_gate.weight") is { } gate)
                    file.Set($"{architecture}.feed_forward_length", (uint)gate.Dimension(1));
            },
        },
        new("olmo3") { Becomes = "olmo2" },
        new("laguna")
        {
            Keys = [(".rope.swa.dimension_count", ".rope.dimension_count_swa"), (".rope.swa.freq_base", ".rope.freq_base_swa")],
            IsOwn = static file => file.HasTensorsThatEnd(".attn_g.weight"),
            Tensors = [(@"\.attn_g\.weight$", ".attn_gate.weight")],
        },
        new("glm4moelite")
        {
            Becomes = "deepseek2",
            Values = [(".attention.head_count_kv", 1u), (PreTokenizer, "glm4")],
            Defaults = [(".expert_group_count", 1u), (".expert_group_used_count", 1u)],
            Rest = OllamaSteps.AbsorbHeads,
        },
        Nemotron("nemotron_h_moe") with { IsOwn = static file => file.HasTensorsThatEnd(".ffn_latent_in.weight") },
        Nemotron("nemotron_h_omni") with { Becomes = "nemotron_h_moe", IsOwn = static file => file.Integers("nemotron_h_omni.expert_count") is [> 0] },
        Nemotron("nemotron_h_omni") with { Becomes = "nemotron_h" },
        new("bert") { IsOwn = static file => file.Texts(OllamaSteps.CharacterMap).Count > 0, Rest = OllamaSteps.DecodeCharacterMap },
    ];

    /// <summary>Why no file of that architecture can be a model here; null: some can.</summary>
    public static string? WhyNot(string? architecture) => Untranslatable.Contains(architecture)
        ? $"the file was made for Ollama's own engine ('{architecture}'), and nothing that llama.cpp could load can be made of it: pull a GGUF of the model that was made for llama.cpp (hf.co/…)"
        : null;

    private static OllamaFamily QwenThatSees(string architecture) => new(architecture)
    {
        IsOwn = file => !file.Has($"{architecture}.rope.dimension_sections"),
        Dropped = Seeing,
        Defaults = [(".rope.dimension_sections", (int[])[24, 20, 20, 0])],
    };

    private static OllamaFamily Qwen35(string architecture) => new(architecture)
    {
        OwnKeys = [".image_token_id", ".ssm.v_head_reordered", ".rope.mrope_interleaved"],
        IsOwn = file => file.Has($"{architecture}.vision.block_count"),
        Dropped = [.. Seeing, "mtp."],
        Tensors = ShortNames,
        Rest = static (file, name) =>
        {
            OllamaSteps.JoinHeads(file, name);
            OllamaSteps.PadSections(file, name);
        },
    };

    private static OllamaFamily Nemotron(string architecture) => new(architecture)
    {
        Dropped = [.. Seeing, "a.", "mtp."],
        Tensors = [(@"\.ffn_latent_in\.", ".ffn_latent_down."), (@"\.ffn_latent_out\.", ".ffn_latent_up.")],
        Rest = static (file, name) =>
        {
            if (file.FirstTensor(static tensor => tensor.EndsWith(".ffn_latent_down.weight", StringComparison.Ordinal)) is { } latent)
                file.SetMissing($"{name}.moe_latent_size", (uint)latent.Dimension(1));
        },
    };

    private static void SetMissing(GgufDraft file, string key, string tensor, int dimension)
    {
        if (file.Tensor(tensor) is { } found)
            file.SetMissing(key, (uint)found.Dimension(dimension));
    }

    /// <summary>Ollama's files of these families often have none: its templates stand beside them.</summary>
    private static string ReadTemplate(string name)
    {
        using StreamReader reader = new(typeof(OllamaFamilies).Assembly.GetManifestResourceStream($"{name}.jinja")!, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
