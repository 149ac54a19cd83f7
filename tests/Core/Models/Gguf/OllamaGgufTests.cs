using OllamaMax.Models;
using OllamaMax.Models.Gguf;
using OllamaMax.Models.Gguf.Ollama;

namespace OllamaMax.Core.Tests.Models.Gguf;

/// <summary>Headers by hand; that llama.cpp loads what comes of some, the tests of the engine show.</summary>
public sealed class OllamaGgufTests
{
    [Fact]
    public void Open_GptOss_HasLlamaCppsNames()
    {
        GgufLayout translated = Translate(new GgufBytes()
            .Text("general.architecture", "gptoss").UInt32("gptoss.context_length", 131072).Text("tokenizer.ggml.pre", "default")
            .Tensor("blk.0.attn_out.weight", 0, 0, 8).Tensor("blk.0.attn_sinks", 0, 32, 8).Tensor("blk.0.ffn_norm.weight", 0, 64, 8).Tensor("blk.0.ffn_gate_exps.weight", 0, 96, 2, 4, 1));

        Names(translated).ShouldBe(["blk.0.attn_output.weight", "blk.0.attn_sinks.weight", "blk.0.post_attention_norm.weight", "blk.0.ffn_gate_exps.weight"]);
        translated.Header.GetString("general.architecture").ShouldBe("gpt-oss");
        translated.Header.GetString("tokenizer.ggml.pre").ShouldBe("gpt-4o");
        translated.Header.GetInteger("gpt-oss.context_length").ShouldBe(131072);
        translated.Header.GetInteger("gpt-oss.expert_feed_forward_length").ShouldBe(4);
        string template = translated.Header.GetString("tokenizer.chat_template").ShouldNotBeNull();
        ModelCapabilities.Find("gpt-oss", translated.Header.Metadata, template, null).ShouldBe(["completion", "thinking"]);
    }

    [Fact]
    public void Open_WhatSees_IsDroppedAndTheWeightsStayThemselves()
    {
        byte[] file = new GgufBytes()
            .Text("general.architecture", "gemma3").UInt32("gemma3.context_length", 131072).UInt32("gemma3.vision.block_count", 27).UInt32("gemma3.mm.tokens_per_image", 256)
            .Tensor("v.patch_embedding.weight", 0, 0, 8).Tensor("token_embd.weight", 0, 32, 4, 2).Tensor("mm.mm_soft_emb_norm.weight", 0, 64, 8).Tensor("output_norm.weight", 0, 96, 4).ToArray(data: 112);
        for (int i = 0; i < 112; i++)
            file[file.Length - 112 + i] = (byte)i;

        byte[] translated = ReadAll(OllamaGguf.Open(new MemoryStream(file)));

        GgufLayout layout = new(new MemoryStream(translated));
        Names(layout).ShouldBe(["token_embd.weight", "output_norm.weight"]);
        translated.AsSpan((int)layout.DataStart, 48).ToArray().ShouldBe(Enumerable.Range(32, 32).Concat(Enumerable.Range(96, 16)).Select(i => (byte)i));
        layout.Header.Metadata.Keys.ShouldNotContain(key => key.Contains("vision", StringComparison.Ordinal) || key.Contains("mm.", StringComparison.Ordinal));
        layout.Header.Metadata["gemma3.attention.layer_norm_rms_epsilon"].GetSingle().ShouldBe(1e-6f);
        layout.Header.GetString("gemma3.rope.scaling.type").ShouldBe("linear");
    }

    [Fact]
    public void Open_EmbeddingGemma_IsAnArchitectureOfItsOwn()
    {
        GgufLayout translated = Translate(new GgufBytes()
            .Text("general.architecture", "gemma3").UInt32("gemma3.pooling_type", 1).UInt32("gemma3.attention.sliding_window_pattern", 6)
            .Tensor("dense.0.weight", 0, 0, 2, 4).Tensor("dense.1.weight", 0, 32, 4, 2).Tensor("norm.weight", 0, 64, 2));

        Names(translated).ShouldBe(["dense_2.weight", "dense_3.weight", "output_norm.weight"]);
        GgufHeader header = translated.Header;
        (header.GetString("general.architecture"), header.GetInteger("gemma-embedding.pooling_type")).ShouldBe(("gemma-embedding", 1));
        (header.GetInteger("gemma-embedding.dense_2_feat_in"), header.GetInteger("gemma-embedding.dense_2_feat_out")).ShouldBe((2, 4));
        (header.GetInteger("gemma-embedding.dense_3_feat_in"), header.GetInteger("gemma-embedding.dense_3_feat_out")).ShouldBe((4, 2));
        header.Metadata.Keys.ShouldNotContain("gemma-embedding.attention.sliding_window_pattern");
    }

    [Fact]
    public void Open_Gemma3n_HasOneVocabulary()
    {
        GgufLayout translated = Translate(new GgufBytes()
            .Text("general.architecture", "gemma3n").Text("tokenizer.ggml.model", "gpt2").Texts("tokenizer.ggml.tokens", ["<0x0A>", "<unused1>", "a", "<image>"]).Int32s("tokenizer.ggml.token_type", 3, 3, 1, 3)
            .Tensor("token_embd.weight", 0, 0, 2, 4).Tensor("per_layer_token_embd.weight", 0, 32, 2, 3));

        translated.Tensors[0].Dimensions.ShouldBe([2ul, 3]);
        translated.Header.Metadata["tokenizer.ggml.token_type"].EnumerateArray().Select(type => type.GetInt32()).ShouldBe([6, 1, 1]);
        translated.Header.GetString("tokenizer.ggml.model").ShouldBe("llama");
        translated.Pairs.Single(pair => pair.Key == "tokenizer.ggml.tokens").Value.ToArray().ShouldBe(GgufValue.Cut(Pair(["<0x0A>", "<unused1>", "a", "b"]), 3).ToArray());
    }

    /// <summary>Of each the smallest file that shows what is done to it.</summary>
    [Fact]
    public void Open_OtherFamilies_HaveLlamaCppsKeysAndNames()
    {
        GgufHeader qwen25 = Translate(Of("qwen25vl").Int32s("qwen25vl.rope.mrope_section", 16, 24, 24).Tensor("a", 0, 0, 8)).Header;
        (qwen25.GetString("general.architecture"), Text(qwen25, "qwen2vl.rope.dimension_sections")).ShouldBe(("qwen2vl", "[16,24,24,0]"));

        Text(Translate(Of("qwen3vl").Tensor("a", 0, 0, 8)).Header, "qwen3vl.rope.dimension_sections").ShouldBe("[24,20,20,0]");

        GgufLayout qwen35 = Translate(Of("qwen35").Int32s("qwen35.attention.head_count_kv", 0, 2, 0).Int32s("qwen35.rope.dimension_sections", 11, 11, 10).Tensor("blk.0.ssm_dt", 0, 0, 8).Tensor("mtp.fc.weight", 0, 32, 8));
        (qwen35.Header.GetInteger("qwen35.attention.head_count_kv"), Text(qwen35.Header, "qwen35.rope.dimension_sections")).ShouldBe((2, "[11,11,10,0]"));
        Names(qwen35).ShouldBe(["blk.0.ssm_dt.bias"]);

        Names(Translate(Of("qwen3next").Tensor("blk.0.ssm_dt", 0, 0, 8))).ShouldBe(["blk.0.ssm_dt.bias"]);

        GgufHeader mistral = Translate(Of("mistral3").UInt32("mistral3.rope.scaling.beta_fast", 32).Tensor("a", 0, 0, 8)).Header;
        (mistral.GetInteger("mistral3.rope.scaling.yarn_beta_fast"), mistral.GetString("tokenizer.ggml.pre")).ShouldBe((32, "tekken"));

        GgufHeader glm = Translate(Of("glm4moelite").UInt32("glm4moelite.attention.key_length", 256).UInt32("glm4moelite.attention.kv_lora_rank", 512)
            .UInt32("glm4moelite.rope.dimension_count", 64).UInt32("glm4moelite.attention.head_count_kv", 20).Tensor("a", 0, 0, 8)).Header;
        (glm.GetInteger("deepseek2.attention.key_length"), glm.GetInteger("deepseek2.attention.value_length"), glm.GetInteger("deepseek2.attention.key_length_mla")).ShouldBe((576, 512, 256));
        (glm.GetInteger("deepseek2.attention.head_count_kv"), glm.GetInteger("deepseek2.expert_group_count")).ShouldBe((1, 1));

        GgufLayout nemotron = Translate(Of("nemotron_h_omni").UInt32("nemotron_h_omni.expert_count", 8).Tensor("blk.1.ffn_latent_in.weight", 0, 0, 2, 4).Tensor("a.x", 0, 32, 8));
        (nemotron.Header.GetString("general.architecture"), nemotron.Header.GetInteger("nemotron_h_moe.moe_latent_size")).ShouldBe(("nemotron_h_moe", 4));
        Names(nemotron).ShouldBe(["blk.1.ffn_latent_down.weight"]);

        GgufHeader bert = Translate(Of("bert").Texts("tokenizer.ggml.precompiled_charsmap", ["A", "Q", "I", "D", "B", "A", "=", "="]).Tensor("a", 0, 0, 8)).Header;
        Text(bert, "tokenizer.ggml.precompiled_charsmap").ShouldBe("[1,2,3,4]");

        Translate(Of("olmo3").Tensor("a", 0, 0, 8)).Header.GetString("general.architecture").ShouldBe("olmo2");
        Names(Translate(Of("llama4").Tensor("a", 0, 0, 8).Tensor("v.x", 0, 32, 8))).ShouldBe(["a"]);
        Names(Translate(Of("laguna").Tensor("blk.0.attn_g.weight", 0, 0, 8))).ShouldBe(["blk.0.attn_gate.weight"]);
        Translate(Of("gemma4").Text("tokenizer.ggml.model", "llama").Tensor("a", 0, 0, 8)).Header.GetString("tokenizer.ggml.model").ShouldBe("gemma4");
    }

    [Fact]
    public void Open_LlamaCppsForm_IsTheFileItself()
    {
        byte[][] files =
        [
            Of("llama").Tensor("v.x", 0, 0, 8).ToArray(data: 32),
            Of("gemma3").Pair("gemma3.attention.layer_norm_rms_epsilon", 6, BitConverter.GetBytes(1e-6f)).UInt32("gemma3.attention.sliding_window_pattern", 6).Tensor("a", 0, 0, 8).ToArray(data: 32),
            Of("gpt-oss").Tensor("a", 0, 0, 8).ToArray(data: 32),
            Of("qwen3vl").Int32s("qwen3vl.rope.dimension_sections", 24, 20, 20, 0).Tensor("a", 0, 0, 8).ToArray(data: 32),
            Of("lfm2").Tensor("token_embd_norm.weight", 0, 0, 8).ToArray(data: 32),
            Of("bert").Tensor("a", 0, 0, 8).ToArray(data: 32),
        ];

        foreach (byte[] file in files)
        {
            using MemoryStream source = new(file);
            OllamaGguf.Is(source).ShouldBeFalse();
            OllamaGguf.Open(source).ShouldBeSameAs(source);
            source.Position.ShouldBe(0);
        }
    }

    [Fact]
    public void Open_WhatCannotBeTranslated_SaysWhatToPullInstead()
    {
        byte[] file = new GgufBytes().UInt32("any", 1).Text("general.architecture", "mllama").Texts("tokenizer.ggml.tokens", ["a"]).Tensor("a", 0, 0, 8).ToArray(data: 32);
        const string Reason = "the file was made for Ollama's own engine ('mllama'), and nothing that llama.cpp could load can be made of it: pull a GGUF of the model that was made for llama.cpp (hf.co/…)";

        Should.Throw<GgufFormatException>(() => OllamaGguf.Open(new MemoryStream(file))).Message.ShouldBe(Reason);
        OllamaGguf.WhyNot(new MemoryStream(file, 0, 100)).ShouldBe(Reason, "its begin is enough");
        OllamaGguf.WhyNot(new MemoryStream(file, 0, 40)).ShouldBeNull();
        OllamaGguf.WhyNot(new MemoryStream([1, 2, 3])).ShouldBeNull();
        OllamaGguf.WhyNot(new MemoryStream(Of("gptoss").ToArray())).ShouldBeNull();
    }

    /// <summary>Whatever bytes stand there: a file that can be read, or a refusal.</summary>
    [Fact]
    public void Open_RandomDamage_TranslatesOrRefuses()
    {
        byte[] sound = Of("gemma3").Texts("tokenizer.ggml.tokens", ["a", "b", "c"]).Int32s("tokenizer.ggml.token_type", 1, 2, 3).UInt32("gemma3.context_length", 131072)
            .Tensor("v.x", 0, 0, 8).Tensor("token_embd.weight", 0, 32, 2, 2).ToArray(data: 64);
        Random random = new(20240607);
        int refused = 0;
        const int Rounds = 5_000;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] damaged = [.. sound];
            for (int i = random.Next(1, 4); i > 0; i--)
                damaged[random.Next(damaged.Length)] = (byte)(random.Next(3) == 0 ? 0xff : random.Next(256));
            try
            {
                using Stream opened = OllamaGguf.Open(new MemoryStream(damaged));
                ReadAll(opened).Length.ShouldBe((int)opened.Length);
            }
            catch (GgufFormatException)
            {
                refused++;
            }
        }
        refused.ShouldBeInRange(1, Rounds - 1);
    }

    private static GgufBytes Of(string architecture) => new GgufBytes().Text("general.architecture", architecture);

    /// <summary>What comes of it, which is nobody's to translate again.</summary>
    private static GgufLayout Translate(GgufBytes file)
    {
        MemoryStream source = new(file.ToArray(data: 160));
        OllamaGguf.Is(source).ShouldBeTrue();
        MemoryStream translated = new(ReadAll(OllamaGguf.Open(source)));
        OllamaGguf.Is(translated).ShouldBeFalse();
        return new GgufLayout(translated);
    }

    private static IEnumerable<string> Names(GgufLayout file) => file.Tensors.Select(tensor => tensor.Name);

    private static string Text(GgufHeader header, string key) => header.Metadata[key].GetRawText();

    private static byte[] Pair(string[] texts) => [.. BitConverter.GetBytes(9u), .. BitConverter.GetBytes(8u), .. BitConverter.GetBytes((ulong)texts.Length), .. texts.SelectMany(GgufBytes.TextBytes)];

    private static byte[] ReadAll(Stream stream)
    {
        using MemoryStream all = new();
        stream.CopyTo(all, 1000);
        return all.ToArray();
    }
}
