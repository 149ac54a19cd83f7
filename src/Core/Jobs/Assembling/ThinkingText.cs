namespace OllamaMax.Jobs.Assembling;

/// <summary>What is known to be reasoning.</summary>
internal sealed class ThinkingText : ITextStage
{
    public void Append(ReadOnlySpan<char> text, AnswerParts parts) => parts.AddThinking(text);

    public void Complete(AnswerParts parts)
    {
    }
}
