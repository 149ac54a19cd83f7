using OllamaMax.Models.Gguf;

namespace OllamaMax.Core.Tests.Models.Gguf;

/// <summary>Files by hand; that llama.cpp applies what lies behind the weights, the tests of the engine show.</summary>
public sealed class GgufAdaptersTests
{
    private static readonly byte[] s_model = Model().Tensor("blk.0.attn_q.weight", 0, 0, 8, 4).Tensor("token_embd.weight", 0, 128, 6, 3).ToArray(data: 200);
    private static readonly byte[] s_adapter = Adapter().Tensor("blk.0.attn_q.weight.lora_a", 0, 0, 8, 2).Tensor("blk.0.attn_q.weight.lora_b", 0, 64, 2, 4).ToArray(data: 96);

    [Fact]
    public void Append_OneAfterTheOther_AreFoundAgain()
    {
        byte[] embedding = Adapter().Tensor("token_embd.weight.lora_a", 0, 0, 2, 3).Tensor("token_embd.weight.lora_b", 0, 32, 2, 6).ToArray(data: 96);

        // The model's file lacks the padding behind its last tensor.
        byte[] one = ReadAll(GgufAdapters.Append(new MemoryStream(s_model), [new MemoryStream(s_adapter)]));
        byte[] two = ReadAll(GgufAdapters.Append(new MemoryStream(one), [new MemoryStream(embedding)]));

        GgufAdapters.Find(new MemoryStream(s_model)).ShouldBeEmpty();
        two[..one.Length].ShouldBe(one);
        IReadOnlyList<(long, long)> found = GgufAdapters.Find(new MemoryStream(two));
        found.Select(part => ReadAll(GgufAdapters.Part(new MemoryStream(two), part))).ShouldBe([s_adapter, embedding]);
        GgufReader.Read(new MemoryStream(two)).TensorCount.ShouldBe(2);
    }

    [Fact]
    public void Find_OtherBytesBehindTheWeights_FindsNone() =>
        GgufAdapters.Find(new MemoryStream([.. s_model, .. new byte[24], .. "GGUX"u8])).ShouldBeEmpty();

    [Fact]
    public void Find_AnotherModelBehindTheWeights_IsRefused() =>
        Should.Throw<GgufFormatException>(() => GgufAdapters.Find(new MemoryStream([.. s_model, .. new byte[24], .. s_model]))).Message.ShouldContain("is none of an adapter");

    [Fact]
    public void Append_WhatIsNoAdapterOfTheModel_IsRefused()
    {
        (byte[] Adapter, string Message)[] wrong =
        [
            ([1, 2, 3], "this is no GGUF"),
            (s_model, "is none of an adapter"),
            (s_adapter[..^1], "it was cut off"),
            (new GgufBytes().Text("general.type", "adapter").Text("adapter.type", "control").ToArray(), "of an adapter of the kind 'control'"),
            (Adapter().Int32s("adapter.alora.invocation_tokens", 1, 2).ToArray(), "switched on by words"),
            (new GgufBytes().Text("general.type", "adapter").Text("adapter.type", "lora").Text("general.architecture", "qwen2").ToArray(), "for a model of architecture 'qwen2', and this one is of 'llama'"),
            (Adapter().Tensor("blk.0.attn_q.weight", 0, 0, 8, 4).ToArray(data: 128), "'blk.0.attn_q.weight' is none of a LoRA"),
            (Adapter().Tensor("blk.0.attn_q.weight.lora_a", 0, 0, 8, 2).ToArray(data: 64), "one of a pair of tensors for 'blk.0.attn_q.weight' only"),
            (Adapter().Tensor("blk.1.attn_q.weight.lora_a", 0, 0, 8, 2).Tensor("blk.1.attn_q.weight.lora_b", 0, 64, 2, 4).ToArray(data: 96), "changes 'blk.1.attn_q.weight', which the model does not have"),
            (Adapter().Tensor("blk.0.attn_q.weight.lora_a", 0, 0, 8, 2).Tensor("blk.0.attn_q.weight.lora_b", 0, 64, 2, 5).ToArray(data: 104), "other dimensions than the model's"),
            (Adapter().Tensor("blk.0.attn_q.weight.lora_a", 0, 0, 8, 2).Tensor("blk.0.attn_q.weight.lora_b", 0, 64, 3, 4).ToArray(data: 112), "other dimensions than the model's"),
            (Adapter().Tensor("token_embd.weight.lora_a", 0, 0, 6, 2).Tensor("token_embd.weight.lora_b", 0, 64, 2, 3).ToArray(data: 96), "other dimensions than the model's"),
            (Adapter().Tensor("blk.0.attn_q.weight.lora_a", 0, 0, 8, 2).Tensor("blk.0.attn_q.weight.lora_a", 0, 64, 8, 2).ToArray(data: 128), "is there twice"),
        ];

        foreach (var (adapter, message) in wrong)
            Should.Throw<GgufFormatException>(() => GgufAdapters.Append(new MemoryStream(s_model), [new MemoryStream(adapter)])).Message.ShouldContain(message);
    }

    [Fact]
    public void Append_NormsInTheAdapter_AreLetBe()
    {
        byte[] adapter = Adapter().Tensor("blk.0.attn_norm.weight", 0, 0, 8).ToArray(data: 32);

        Should.NotThrow(() => GgufAdapters.Append(new MemoryStream(s_model), [new MemoryStream(adapter)]));
    }

    private static GgufBytes Model() => new GgufBytes().Text("general.architecture", "llama");

    private static GgufBytes Adapter() => new GgufBytes().Text("general.type", "adapter").Text("general.architecture", "llama").Text("adapter.type", "lora");

    private static byte[] ReadAll(Stream stream)
    {
        MemoryStream all = new();
        stream.CopyTo(all);
        return all.ToArray();
    }
}
