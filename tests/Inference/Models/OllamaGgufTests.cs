using OllamaMax.Inference.Native;
using OllamaMax.Models.Gguf.Ollama;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Inference.Tests.Models;

/// <summary>Models in the form that Ollama's own engine has them, held against the same ones as llama.cpp has them.</summary>
public sealed class OllamaGgufTests
{
    private static GgufSpec Spec(GgufArchitecture architecture) => new()
    {
        Architecture = architecture,
        Vocabulary = architecture == GgufArchitecture.Gemma3 ? GgufVocabularyKind.SentencePiece : GgufVocabularyKind.Bpe,
        PreTokenizer = architecture == GgufArchitecture.Lfm2 ? "lfm2" : "gpt-4o",
        Seed = 23,
    };

    [Theory]
    [InlineData(GgufArchitecture.GptOss)]
    [InlineData(GgufArchitecture.Gemma3)]
    [InlineData(GgufArchitecture.Lfm2)]
    public void Open_OllamasForm_ComputesWhatLlamaCppsDoes(GgufArchitecture architecture)
    {
        using TempFolder folder = new();
        GgufSpec spec = Spec(architecture);
        GgufGenerator.WriteOllamas(folder.File("ollamas.gguf"), spec);
        using (Stream translated = OllamaGguf.Open(File.OpenRead(folder.File("ollamas.gguf"))))
        using (FileStream file = File.Create(folder.File("translated.gguf")))
            translated.CopyTo(file);

        Logits(folder.File("translated.gguf")).ShouldBe(Logits(TestModels.File(spec)));
    }

    /// <summary>What makes the translation necessary; where this fails llama.cpp has learned a form, and its family can go.</summary>
    [Theory]
    [InlineData(GgufArchitecture.GptOss)]
    [InlineData(GgufArchitecture.Gemma3)]
    [InlineData(GgufArchitecture.Lfm2)]
    public void Load_OllamasForm_IsRefused(GgufArchitecture architecture)
    {
        using TempFolder folder = new();
        GgufGenerator.WriteOllamas(folder.File("ollamas.gguf"), Spec(architecture));

        Should.Throw<ModelLoadException>(() => TestModels.Load(folder.File("ollamas.gguf")));
    }

    private static float[] Logits(string path)
    {
        using INativeModel model = TestModels.Load(path);
        return TestModels.LogitsOf(model);
    }
}
