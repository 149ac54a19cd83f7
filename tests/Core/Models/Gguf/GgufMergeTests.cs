using OllamaMax.Models.Gguf;

namespace OllamaMax.Core.Tests.Models.Gguf;

/// <summary>Parts by hand; that llama.cpp reads what they make, the tests of the engine show.</summary>
public sealed class GgufMergeTests
{
    [Fact]
    public void Open_PartsOfAModel_AreTheWholeFile()
    {
        byte[] whole = Metadata().Tensor("a", 0, 0, 8).Tensor("b", 0, 32, 4).Tensor("c", 0, 64, 8).ToArray(data: 96);
        Span<byte> weights = whole.AsSpan(whole.Length - 96);
        for (int i = 0; i < weights.Length; i++)
            weights[i] = (byte)(i / 4 is >= 12 and < 16 ? 0 : i + 1);
        byte[] first = Split(Metadata(), 0, 2).Tensor("a", 0, 0, 8).Tensor("b", 0, 32, 4).ToArray(data: 48);
        weights[..48].CopyTo(first.AsSpan(first.Length - 48));
        byte[] second = Split(new GgufBytes(), 1, 2).Tensor("c", 0, 0, 8).ToArray(data: 32);
        weights[64..].CopyTo(second.AsSpan(second.Length - 32));

        using Stream merged = GgufMerge.Open([new MemoryStream(first), new MemoryStream(second)]);

        merged.Length.ShouldBe(whole.Length);
        ReadAll(merged, 7).ShouldBe(whole, "the first part lacks the padding behind its last tensor");
        merged.Position = whole.Length - 40;
        ReadAll(merged, 100).ShouldBe(whole[^40..]);
        merged.Position = 0;
        GgufReader.Read(merged).TensorCount.ShouldBe(3);
    }

    [Fact]
    public void Open_FirstWithoutTensors_IsTheWholeFile()
    {
        byte[] whole = Metadata().Tensor("a", 0, 0, 8).ToArray(data: 32);

        using Stream merged = GgufMerge.Open(
            [new MemoryStream(Split(Metadata(), 0, 2, tensors: 1).ToArray()), new MemoryStream(Split(new GgufBytes(), 1, 2).Tensor("a", 0, 0, 8).ToArray(data: 32))]);

        ReadAll(merged, 1000).ShouldBe(whole);
    }

    [Fact]
    public void Open_WhatDoesNotBelongTogether_IsRefused()
    {
        byte[] first = Split(Metadata(), 0, 2, tensors: 2).Tensor("a", 0, 0, 8).ToArray(data: 32);
        byte[] second = Split(new GgufBytes(), 1, 2).Tensor("b", 0, 0, 8).ToArray(data: 32);
        (byte[][] Parts, string Message)[] wrong =
        [
            ([second, first], "part 1 of 2 says of itself that it is another one"),
            ([first, first], "part 2 of 2 says of itself that it is another one"),
            ([first], "part 1 of 1 says of itself that it is another one"),
            ([first, Split(new GgufBytes(), 1, 3).Tensor("b", 0, 0, 8).ToArray(data: 32)], "part 2 of 2 says of itself"),
            ([first, second[..^1]], "part 2 of 2: the file has"),
            ([first, [1, 2, 3]], "part 2 of 2: this is no GGUF file"),
            ([first, Split(new GgufBytes(), 1, 2).ToArray()], "the parts have 1 tensors, and the first one says that they are 2"),
            ([first, Split(new GgufBytes(), 1, 2).UInt32("general.alignment", 64).Tensor("b", 0, 0, 8).ToArray(data: 96)], "different versions or alignments"),
        ];

        foreach (var (parts, message) in wrong)
            Should.Throw<GgufFormatException>(() => GgufMerge.Open([.. parts.Select(part => new MemoryStream(part))])).Message.ShouldContain(message);
    }

    /// <summary>Whatever bytes stand there: a merged file, or a refusal.</summary>
    [Fact]
    public void Open_RandomDamage_MergesOrRefuses()
    {
        byte[][] sound = [Split(Metadata(), 0, 2, tensors: 2).Tensor("a", 0, 0, 8).ToArray(data: 32), Split(new GgufBytes(), 1, 2).Tensor("b", 8, 0, 32).ToArray(data: 64)];
        Random random = new(20240607);
        int refused = 0;
        const int Rounds = 5_000;
        for (int round = 0; round < Rounds; round++)
        {
            byte[][] damaged = [.. sound.Select(part => part.ToArray())];
            byte[] hit = damaged[random.Next(2)];
            for (int i = random.Next(1, 4); i > 0; i--)
                hit[random.Next(hit.Length)] = (byte)(random.Next(3) == 0 ? 0xff : random.Next(256));
            try
            {
                using Stream merged = GgufMerge.Open([.. damaged.Select(part => new MemoryStream(part))]);
                ReadAll(merged, 1000).Length.ShouldBe((int)merged.Length);
            }
            catch (GgufFormatException)
            {
                refused++;
            }
        }
        refused.ShouldBeInRange(1, Rounds - 1);
    }

    private static GgufBytes Metadata() => new GgufBytes().Text("general.architecture", "llama").Texts("tokenizer.ggml.tokens", ["a", "b"]).Int32s("some", 1, 2, 3);

    private static GgufBytes Split(GgufBytes part, ushort number, ushort count, int? tensors = null)
    {
        part.Pair("split.no", 2, BitConverter.GetBytes(number)).Pair("split.count", 2, BitConverter.GetBytes(count));
        return tensors is { } told ? part.Pair("split.tensors.count", 5, BitConverter.GetBytes(told)) : part;
    }

    private static byte[] ReadAll(Stream stream, int atOnce)
    {
        MemoryStream all = new();
        stream.CopyTo(all, atOnce);
        return all.ToArray();
    }
}
