using System.Text.Json;
using OllamaMax.Core.Tests.Models.Gguf;
using OllamaMax.Models;
using OllamaMax.Models.Gguf;

namespace OllamaMax.Core.Tests.Models;

public sealed class ModelConfigTests
{
    [Fact]
    public void ToView_DemoModel_SaysWhatOllamaWouldShow()
    {
        using FileStream file = File.OpenRead(DemoModel.Path);
        ModelConfig config = ModelConfig.Parse(ModelConfig.From(GgufReader.Read(file)).ToBytes());

        ModelView view = View(config);

        view.Details.ShouldSatisfyAllConditions(
            d => d.Format.ShouldBe("gguf"),
            d => d.Family.ShouldBe("llama"),
            d => d.Families.ShouldBe(["llama"]),
            d => d.ParameterSize.ShouldBe("3.97M"),
            d => d.QuantizationLevel.ShouldBe("Q8_0"));
        view.ContextLength.ShouldBe(1024);
        view.Capabilities.ShouldBe(["completion", "tools"]);
        view.EosToken.ShouldBe("<|im_end|>");
        view.Template.ShouldNotBeNull().ShouldContain("<|im_start|>");
        view.Metadata["llama.embedding_length"].GetInt32().ShouldBe(256);
        view.Name.ToString().ShouldBe("demo:latest");
        view.Size.ShouldBe(1010);
        view.WeightsSize.ShouldBe(1000);
    }

    [Fact]
    public void ToBytes_SameFile_GivesTheSameBytes()
    {
        byte[] Once()
        {
            using FileStream file = File.OpenRead(DemoModel.Path);
            return ModelConfig.From(GgufReader.Read(file)).ToBytes();
        }

        Once().ShouldBe(Once());
    }

    [Theory]
    [InlineData(999, "999")]
    [InlineData(12_345, "12K")]
    [InlineData(3_965_184, "3.97M")]
    [InlineData(7_000_000, "7M")]
    [InlineData(1_235_814_432, "1.2B")]
    [InlineData(7_000_000_000, "7B")]
    [InlineData(671_026_419_200, "671.0B")]
    public void Format_Count_IsWrittenAsOllamaDoes(long count, string text) => HumanNumber.Format(count).ShouldBe(text);

    [Theory]
    [InlineData("{% for m in messages %}{{ m.content }}{% endfor %}", "completion")]
    [InlineData("{%- if tools %}{% endif %}{{ '<tool_call>' }}", "completion,tools")]
    [InlineData("{%- if tools %}{% endif %}{{ '<odd_call>' }}", "completion")]
    [InlineData("{{ '<tool_call>' }}", "completion")]
    [InlineData("You have no tools: {{ 'tools' }}", "completion")]
    [InlineData("{% if enable_thinking is defined %}{% endif %}", "completion,thinking")]
    [InlineData("{{ m.reasoning_content }}", "completion")]
    [InlineData("{{ 'thinking' }}{% if thinking %}{% endif %}", "completion,thinking")]
    [InlineData("{{ '<think>\\n' }}{{ tools | tojson }}[TOOL_CALLS]", "completion,tools,thinking")]
    [InlineData("{% 'unclosed", "completion")]
    public void Find_Template_GoesByTheVariablesItReads(string template, string capabilities) =>
        string.Join(',', View(Config(template)).Capabilities).ShouldBe(capabilities);

    [Theory]
    [InlineData("{%- if tools %}{% endif %}{{ '<odd_call>' }}", true)]
    [InlineData("{%- if tools %}{% endif %}{{ '<tool_call>' }}", true)]
    [InlineData("{{ messages }}", false)]
    public void TakesTools_Template_AlsoWhereItsCallsAreNotUnderstood(string template, bool takes) => View(Config(template)).TakesTools.ShouldBe(takes);

    [Fact]
    public void Find_PoolingModel_Embeds()
    {
        ModelConfig config = From(Llama().UInt32("llama.pooling_type", 1));

        View(config).Capabilities.ShouldBe(["embedding"]);
    }

    [Fact]
    public void Find_FillInTheMiddleTokens_Inserts()
    {
        ModelConfig config = From(Llama().Texts("tokenizer.ggml.tokens", ["<s>", "<pre>", "<suf>", "<mid>"])
            .UInt32("tokenizer.ggml.fim_pre_token_id", 1).UInt32("tokenizer.ggml.suffix_token_id", 2).UInt32("tokenizer.ggml.fim_mid_token_id", 3));

        ModelView view = View(ModelConfig.Parse(config.ToBytes()));

        view.Capabilities.ShouldBe(["completion", "insert"]);
        view.FillInTheMiddle.ShouldNotBeNull().Prompt("begin", "end").ShouldBe("<pre>begin<suf>end<mid>");
    }

    [Fact]
    public void Find_FillInTheMiddleTokensIncomplete_DoesNotInsert() =>
        View(From(Llama().UInt32("tokenizer.ggml.fim_pre_token_id", 1))).Capabilities.ShouldBe(["completion"]);

    [Fact]
    public void From_FileTypeOfTheFuture_NamesThePredominantTensorType() =>
        From(Llama().UInt32("general.file_type", 4711)).FileType.ShouldBe("F32");

    [Fact]
    public void From_PartOfASplitModel_IsRefused() =>
        Should.Throw<GgufFormatException>(() => From(Llama().Pair("split.count", 2, 3, 0))).Message.ShouldContain("one of 3 parts");

    [Fact]
    public void From_NoLanguageModel_IsRefused() =>
        Should.Throw<GgufFormatException>(() => From(new GgufBytes().Text("general.architecture", "clip").Tensor("t", 0, 0, 1)))
            .Message.ShouldContain("no language model");

    [Fact]
    public void From_VocabularyOnly_IsRefused() =>
        Should.Throw<GgufFormatException>(() => From(new GgufBytes().Text("general.architecture", "llama").UInt32("llama.context_length", 1)))
            .Message.ShouldContain("no weights");

    [Fact]
    public void From_ChatTemplateThatIsNoText_IsRefused()
    {
        Should.Throw<GgufFormatException>(() => From(Llama().UInt32("tokenizer.chat_template", 1))).Message.ShouldContain("tokenizer.chat_template is no text");
        Should.Throw<GgufFormatException>(() => From(Llama().Texts("tokenizer.chat_template", ["{{ messages }}"]))).Message.ShouldContain("tokenizer.chat_template is no text");
    }

    [Fact]
    public void ToView_ChatTemplateThatIsNoText_HasNone()
    {
        JsonElement number = JsonSerializer.SerializeToElement(1);
        ModelConfig config = Config("{{ messages }}");

        View(config with { Metadata = new Dictionary<string, JsonElement>(config.Metadata) { ["tokenizer.chat_template"] = number } }).Template.ShouldBeNull();
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[")]
    [InlineData("""{"architecture":"amd64","os":"linux"}""")]
    public void Parse_WhatIsNoConfig_IsRefused(string json) =>
        Should.Throw<FormatException>(() => ModelConfig.Parse(System.Text.Encoding.UTF8.GetBytes(json)));

    private static GgufBytes Llama() => new GgufBytes()
        .Text("general.architecture", "llama").UInt32("llama.context_length", 64).Tensor("t", 0, 0, 4);

    private static ModelConfig Config(string template) => From(Llama().Text("tokenizer.chat_template", template));

    private static ModelConfig From(GgufBytes bytes)
    {
        using MemoryStream stream = new(bytes.ToArray(data: 16));
        return ModelConfig.From(GgufReader.Read(stream));
    }

    private static ModelView View(ModelConfig config)
    {
        string digest = ModelDigest.Of("x"u8);
        ModelManifest manifest = new()
        {
            Config = new ModelLayer(ModelManifest.ConfigMediaType, digest, 10),
            Layers = [new ModelLayer(ModelLayer.Model, digest, 1000)],
        };
        return config.ToView(ModelName.Parse("demo"), new string('0', 64), manifest, DateTimeOffset.UnixEpoch);
    }
}
