using System.Text;
using OllamaMax.Inference.Native;
using OllamaMax.Models.Gguf;
using OllamaMax.Models.Vocabularies;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Inference.Tests.Vocabularies;

/// <summary>What is counted without llama.cpp, against what its tokenizer gives a worker.</summary>
public sealed class TokenCounterTests
{
    /// <summary>Where words end shows only in a count if tokens could reach across: so they are made of what expressions tell apart.</summary>
    private const string Merged = " aeLlsS't12/\n\r\t.,-(中é\u0301";

    private static readonly string[] s_parts =
    [
        " ", "  ", "     ", "\n", "\n\n", "\r\n", "\t", "\u00a0", "\u0085", "\u3000", "\u2028", "a", "e", "el", "Lal", "ALL", "sea", "s", "S", "t", "'s", "'S", "'ll", "'LL", "'re", "'", "''",
        "1", "12", "121", "1221", "12.21", "Ⅷ", "²", "𝟙𝟚𝟛𝟜", "١٢", ".", ",", "-", "--", "...", "(", "/", "//", "$", "+", "<", "~", "`", "|", "_", "中", "中中", "か", "カナ", "한글", "é", "e\u0301", "\u0301",
        "Ö", "ſ", "K", "ǅ", "ʰ", "ж", "ש", "न", "ि", "𐐀", "𐐨", "😀", "👩‍👩‍👧", "€", "°", "\u200d", "\u200b", "\ufeff", "\u0001", "\u001f", "\u007f", "\u009f", "\0", "\ufffd", "\U000e0001", "\uffff", "\ue000",
        "<|im_start|>", "<|im_end|>", "<|im_end|", "<|endoftext|>", "<s>", "</s>", "<s", "<0x41>", "<bos>", "<turn|>", "▁", "a▁",
    ];

    /// <summary>LLamaSharp 0.30.0 has a llama.cpp that does not know the newest two: its worker does not load such models.</summary>
    public static TheoryData<string> Splits() => [.. PreTokenizer.Names.Except(NativeModels.IsLlamaCpp(NativeKind.Default) ? [] : ["hy_v4", "ufakzeka"])];

    [Theory]
    [MemberData(nameof(Splits))]
    public void Count_BytePairsHoweverSplit_IsTheWorkers(string split)
    {
        GgufSpec spec = TestModels.Tiny with { PreTokenizer = split, MergedCharacters = Merged, VocabularySize = 3000, AddsBos = null };

        ShouldCountAs(TestModels.File(spec), Texts(150));
    }

    [Theory]
    [InlineData(GgufVocabularyKind.SentencePiece, false)]
    [InlineData(GgufVocabularyKind.SentencePiece, true)]
    [InlineData(GgufVocabularyKind.CharacterPairs, false)]
    [InlineData(GgufVocabularyKind.CharacterPairs, true)]
    public void Count_PairsOfCharacters_IsTheWorkers(GgufVocabularyKind kind, bool spacesBeginTokens)
    {
        GgufSpec spec = TestModels.Tiny with { Vocabulary = kind, MergedCharacters = Merged.Replace("\n", "", StringComparison.Ordinal), VocabularySize = 2000, SpacesBeginTokens = spacesBeginTokens };

        ShouldCountAs(TestModels.File(spec), Texts(500));
    }

    [Fact]
    public void Count_DemoModel_IsTheWorkers() => ShouldCountAs(TestModels.Demo, [.. Texts(500), .. Prose]);

    [Fact]
    public void Count_WordsWithoutEnd_IsTheWorkers()
    {
        // Each a single word, as long as such may be before a worker cuts them.
        string[] texts = [.. "aA1. \n中é".Select(letter => new string(letter, 20_000)), string.Concat(Enumerable.Repeat("ab", 10_000))];

        ShouldCountAs(TestModels.File(TestModels.Tiny with { MergedCharacters = Merged, VocabularySize = 3000 }), texts);
        ShouldCountAs(TestModels.File(TestModels.Tiny with { Vocabulary = GgufVocabularyKind.SentencePiece }), texts);
    }

    [Fact]
    public void For_WordPieces_IsNothing()
    {
        GgufSpec spec = TestModels.Tiny with { Architecture = GgufArchitecture.Bert, Vocabulary = GgufVocabularyKind.WordPiece };

        Counter(TestModels.File(spec)).ShouldBeNull();
    }

    [Fact]
    public void For_ASplitThatIsNotKnown_IsNothing() => Counter(TestModels.File(TestModels.Tiny with { PreTokenizer = "chameleon" })).ShouldBeNull();

    private static string[] Prose =>
    [
        "", "Hello", "<|im_start|>user\nWhat are you?<|im_end|>\n<|im_start|>assistant\n",
        "<|endoftext|>Twice is once.", "<|endoftext|><|endoftext|>Three times is twice.",
        File.ReadAllText(Path.Combine(Path.GetDirectoryName(TestModels.Demo)!, "MODEL_CARD.md")),
    ];

    private static void ShouldCountAs(string path, IEnumerable<string> texts)
    {
        using INativeModel model = TestModels.Load(path);
        TokenCounter counter = Counter(path).ShouldNotBeNull();
        foreach (string text in texts)
        {
            int[] tokens = model.Tokenize(Encoding.UTF8.GetBytes(text), addSpecial: true, parseSpecial: true);
            bool beginsTwice = tokens.Length > 1 && tokens[0] == model.LeadingToken && tokens[1] == model.LeadingToken;
            // The second time all words are known.
            counter.Count(text).ShouldBe(tokens.Length - (beginsTwice ? 1 : 0), text);
            counter.Count(text).ShouldBe(tokens.Length - (beginsTwice ? 1 : 0), text);
        }
    }

    private static TokenCounter? Counter(string path)
    {
        using FileStream file = File.OpenRead(path);
        return TokenCounter.For(GgufReader.ReadVocabulary(file));
    }

    private static IEnumerable<string> Texts(int count)
    {
        Random random = new(7);
        for (int i = 0; i < count; i++)
            yield return string.Concat(Enumerable.Range(0, 1 + random.Next(60)).Select(_ => s_parts[random.Next(s_parts.Length)]));
    }
}
