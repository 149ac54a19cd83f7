using System.Text;
using OllamaMax.Inference.Native;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Inference.Tests.Native;

public sealed class TokenizationTests
{
    private static readonly GgufSpec s_bytes = TestModels.Tiny;
    private static readonly GgufSpec s_pieces = TestModels.Tiny with { Vocabulary = GgufVocabularyKind.SentencePiece };

    public static TheoryData<string> Texts() => ["hello there", "  two  spaces ", "line\nline\r\n\ttab", "Grüße, 你好 🌍", "a\0b", "<|im_start|>user", "1234567890"];

    [Theory]
    [MemberData(nameof(Texts))]
    public void Tokenize_ByteLevelPairs_ComeBackAsTheyWere(string text)
    {
        using INativeModel model = TestModels.Load(s_bytes);

        Text(model, model.Tokenize(Encoding.UTF8.GetBytes(text), addSpecial: false, parseSpecial: false)).ShouldBe(text);
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void Tokenize_SentencePieces_ComeBackWithASpaceBefore(string text)
    {
        using INativeModel model = TestModels.Load(s_pieces);

        Text(model, model.Tokenize(Encoding.UTF8.GetBytes(text), addSpecial: false, parseSpecial: false)).ShouldBe(" " + text);
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFE, 0xC0 })]
    [InlineData(new byte[] { 0x61, 0xE4, 0xBD })]
    [InlineData(new byte[] { 0x80, 0x61, 0xF0, 0x9F, 0x8C })]
    public void Tokenize_WhatIsNotUtf8_GivesTokens(byte[] bytes)
    {
        foreach (GgufSpec spec in new[] { s_bytes, s_pieces })
        {
            using INativeModel model = TestModels.Load(spec);

            model.Tokenize(bytes, addSpecial: true, parseSpecial: true).ShouldAllBe(token => token >= 0 && token < model.VocabularySize);
        }
    }

    [Fact]
    public void Tokenize_RandomBytes_NeverFails()
    {
        Random random = new(1);
        foreach (GgufSpec spec in new[] { s_bytes, s_pieces })
        {
            using INativeModel model = TestModels.Load(spec);
            for (int i = 0; i < 200; i++)
            {
                byte[] bytes = new byte[random.Next(200)];
                random.NextBytes(bytes);
                model.Tokenize(bytes, addSpecial: i % 2 == 0, parseSpecial: i % 3 == 0);
            }
        }
    }

    [Theory]
    [InlineData(60_000)]
    [InlineData(300_000)]
    public void Tokenize_AWordWithoutEnd_DoesNotOverflowTheStack(int length)
    {
        // Split by std::regex, as many vocabularies are; GPT-2's own is split by hand.
        byte[] file = File.ReadAllBytes(TestModels.File(s_bytes));
        "bloom"u8.CopyTo(file.AsSpan(file.AsSpan().IndexOf("gpt-2"u8)));
        string path = TestModels.NewPath();
        File.WriteAllBytes(path, file);
        using INativeModel model = TestModels.Load(path);
        string text = new('x', length);

        Text(model, model.Tokenize(Encoding.UTF8.GetBytes(text), addSpecial: true, parseSpecial: true)).ShouldBe(text);
    }

    [Fact]
    public void Tokenize_Empty_GivesNothing()
    {
        using INativeModel model = TestModels.Load(s_bytes);

        model.Tokenize([], addSpecial: true, parseSpecial: true).ShouldBeEmpty();
    }

    [Fact]
    public void Tokenize_AddSpecial_PutsTheLeadingTokenFirst()
    {
        using INativeModel model = TestModels.Load(s_pieces);

        model.LeadingToken.ShouldBe(1);
        model.Tokenize("a"u8, addSpecial: true, parseSpecial: false)[0].ShouldBe(1);
        model.Tokenize("a"u8, addSpecial: false, parseSpecial: false)[0].ShouldNotBe(1);
    }

    [Fact]
    public void Tokenize_ParseSpecial_ReadsControlTokens()
    {
        using INativeModel model = TestModels.Load(s_bytes);

        model.Tokenize("<|im_end|>"u8, addSpecial: false, parseSpecial: true).ShouldBe([2]);
        model.Tokenize("<|im_end|>"u8, addSpecial: false, parseSpecial: false).Length.ShouldBeGreaterThan(1);
        model.IsEndOfGeneration(2).ShouldBeTrue();
        model.IsEndOfGeneration(3).ShouldBeFalse();
        Text(model, [2]).ShouldBe("<|im_end|>");
    }

    [Fact]
    public void Tokenize_MoreTokensThanBytes_GivesAllOfThem()
    {
        using INativeModel model = TestModels.Load(s_pieces);
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("</s>a", 2000)));

        Text(model, model.Tokenize(text, addSpecial: false, parseSpecial: true)).Replace(" ", "", StringComparison.Ordinal)
            .ShouldBe(Encoding.UTF8.GetString(text));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(512)]
    [InlineData(int.MaxValue)]
    public void Piece_OfNoToken_Throws(int token)
    {
        using INativeModel model = TestModels.Load(s_bytes);

        Should.Throw<ArgumentOutOfRangeException>(() => model.Piece(token));
        Should.Throw<ArgumentOutOfRangeException>(() => model.IsEndOfGeneration(token));
    }

    [Fact]
    public void Tokenize_AfterDispose_Throws()
    {
        INativeModel model = TestModels.Load(s_bytes);
        model.Dispose();

        Should.Throw<ObjectDisposedException>(() => model.Tokenize("a"u8, addSpecial: false, parseSpecial: false));
    }

    private static string Text(INativeModel model, int[] tokens) =>
        Encoding.UTF8.GetString([.. tokens.SelectMany(token => model.Piece(token).ToArray())]);
}
