using OllamaMax.Edge.Templates;
using OllamaMax.Jobs;
using OllamaMax.Models;
using OllamaMax.Models.Gguf;
using OllamaMax.Models.Gguf.Ollama;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Edge.Tests.Templates;

/// <summary>The templates that models of Ollama's engine get where their files have none.</summary>
public sealed class OllamaTemplateTests
{
    private static readonly IReadOnlyList<ChatMessage> Conversation =
        [new("system", "Be brief."), new("user", "Hello"), new("assistant", "Hi"), new("user", "Who are you?")];

    [Fact]
    public void Render_Gemma3_HasTheSystemMessageInTheFirstTurn() => Render(GgufArchitecture.Gemma3).ShouldBe(
        "<s><start_of_turn>user\nBe brief.\n\nHello<end_of_turn>\n<start_of_turn>model\nHi<end_of_turn>\n<start_of_turn>user\nWho are you?<end_of_turn>\n<start_of_turn>model\n");

    [Fact]
    public void Render_GptOss_IsHarmony()
    {
        string prompt = Render(GgufArchitecture.GptOss);

        prompt.ShouldStartWith("<|start|>system<|message|>You are ChatGPT, a large language model trained by OpenAI.\nKnowledge cutoff: 2024-06\nCurrent date: ");
        prompt.ShouldEndWith(
            "\n\nReasoning: medium\n\n# Valid channels: analysis, commentary, final. Channel must be included for every message.<|end|>"
            + "<|start|>developer<|message|># Instructions\n\nBe brief.\n\n<|end|><|start|>user<|message|>Hello<|end|>"
            + "<|start|>assistant<|channel|>final<|message|>Hi<|end|><|start|>user<|message|>Who are you?<|end|><|start|>assistant");
    }

    private static string Render(GgufArchitecture architecture)
    {
        using TempFolder folder = new();
        GgufGenerator.WriteOllamas(folder.File("model.gguf"), new GgufSpec { Architecture = architecture, Vocabulary = GgufVocabularyKind.SentencePiece });
        using Stream file = OllamaGguf.Open(File.OpenRead(folder.File("model.gguf")));
        using PromptTemplates templates = TemplateModels.Templates();
        ModelView model = TemplateModels.With(GgufReader.Read(file).GetString("tokenizer.chat_template"));
        return templates.Render(model, Conversation, [], addGenerationPrompt: true);
    }
}
