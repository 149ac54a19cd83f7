using System.Text.Encodings.Web;
using System.Text.Json;
using OllamaMax.Models.Gguf;

namespace OllamaMax.Core.Tests.Models.Gguf;

public sealed class GgufReaderTests
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Fact]
    public void Read_DemoModel_FindsWhatTheCatalogueNeeds()
    {
        using FileStream file = File.OpenRead(DemoModel.Path);

        GgufHeader header = GgufReader.Read(file);

        header.Version.ShouldBe(3);
        header.TensorCount.ShouldBe(47);
        header.ParameterCount.ShouldBe(3_967_744);
        header.TensorType.ShouldBe("Q8_0");
        header.Length.ShouldBe(66_169);
        header.EosToken.ShouldBe("<|im_end|>");
        header.BosToken.ShouldBe("<|endoftext|>");
        header.GetString("general.architecture").ShouldBe("llama");
        header.GetInteger("llama.context_length").ShouldBe(1024);
        header.GetString("tokenizer.chat_template").ShouldNotBeNull().ShouldStartWith("{%- if tools %}");
        header.Metadata["general.tags"].GetArrayLength().ShouldBe(2);
        header.Metadata.Keys.ShouldNotContain("tokenizer.ggml.tokens");
        header.Metadata.Keys.ShouldNotContain("tokenizer.ggml.merges");
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Read_EveryScalarType_GivesItsValue(uint version)
    {
        GgufHeader header = Read(new GgufBytes { Version = version }
            .Pair("u8", 0, 200).Pair("i8", 1, 0xff)
            .Pair("u16", 2, 0xff, 0xff).Pair("i16", 3, 0xff, 0xff)
            .UInt32("u32", uint.MaxValue).Pair("i32", 5, BitConverter.GetBytes(-5))
            .Pair("f32", 6, BitConverter.GetBytes(0.1f)).Pair("bool", 7, 1)
            .Pair("u64", 10, BitConverter.GetBytes(ulong.MaxValue)).Pair("i64", 11, BitConverter.GetBytes(long.MinValue))
            .Pair("f64", 12, BitConverter.GetBytes(0.1)).Pair("nan", 6, BitConverter.GetBytes(float.NaN))
            .Text("text", "grüße").Int32s("few", 1, 2, 3).Int32s("many", new int[65]));

        string json = JsonSerializer.Serialize(header.Metadata, Relaxed);
        json.ShouldBe("""
            {"u8":200,"i8":-1,"u16":65535,"i16":-1,"u32":4294967295,"i32":-5,"f32":0.1,"bool":true,"u64":18446744073709551615,
            "i64":-9223372036854775808,"f64":0.1,"nan":null,"text":"grüße","few":[1,2,3]}
            """.ReplaceLineEndings(""));
    }

    [Fact]
    public void Read_TokenIdsBeforeAndAfterTheVocabulary_FindsTheirTexts()
    {
        GgufHeader header = Read(new GgufBytes()
            .UInt32("tokenizer.ggml.bos_token_id", 100)
            .Texts("tokenizer.ggml.tokens", Enumerable.Range(0, 300).Select(i => $"t{i}"))
            .UInt32("tokenizer.ggml.eos_token_id", 299));

        header.BosToken.ShouldBe("t100");
        header.EosToken.ShouldBe("t299");
    }

    [Fact]
    public void Read_SentencePieceWithoutIds_TakesItsDefaults()
    {
        GgufHeader header = Read(new GgufBytes()
            .Text("tokenizer.ggml.model", "llama").Texts("tokenizer.ggml.tokens", ["<unk>", "<s>", "</s>"]));

        header.BosToken.ShouldBe("<s>");
        header.EosToken.ShouldBe("</s>");
    }

    [Fact]
    public void Read_TokenIdOutsideTheVocabulary_GivesNoText()
    {
        GgufHeader header = Read(new GgufBytes()
            .Texts("tokenizer.ggml.tokens", ["a"]).UInt32("tokenizer.ggml.eos_token_id", 1).UInt32("tokenizer.ggml.bos_token_id", uint.MaxValue));

        header.EosToken.ShouldBeEmpty();
        header.BosToken.ShouldBeEmpty();
    }

    [Fact]
    public void Read_Tensors_CountsElementsAndFindsThePredominantType()
    {
        GgufHeader header = Read(new GgufBytes().Tensor("a", 8, 0, 64, 2).Tensor("b", 0, 160, 16).Tensor("c", 8, 256, 32), data: 300);

        header.ParameterCount.ShouldBe(176);
        header.TensorType.ShouldBe("Q8_0");
    }

    [Fact]
    public void Read_TensorTypeOfTheFuture_IsNamedByNumber() =>
        Read(new GgufBytes().Tensor("a", 4711, 0, 64), data: 10).TensorType.ShouldBe("type4711");

    [Fact]
    public void Read_StreamThatCannotSeek_ReadsIt()
    {
        using OneWayStream stream = new(new GgufBytes().UInt32("a", 7).ToArray());

        GgufReader.Read(stream).GetInteger("a").ShouldBe(7);
    }

    [Fact]
    public void Read_StringTooLongForACatalogue_LeavesItOut()
    {
        GgufHeader header = Read(new GgufBytes().Text("tokenizer.huggingface.json", new string('x', 300_000)).UInt32("after", 1));

        header.Metadata.Keys.ShouldBe(["after"]);
    }

    private static GgufHeader Read(GgufBytes bytes, int data = 0)
    {
        using MemoryStream stream = new(bytes.ToArray(data));
        return GgufReader.Read(stream);
    }

    private sealed class OneWayStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();
    }
}
