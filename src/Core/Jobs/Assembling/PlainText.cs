namespace OllamaMax.Jobs.Assembling;

/// <summary>Where nothing is to be taken apart.</summary>
internal sealed class PlainText : ITextStage
{
    public void Append(ReadOnlySpan<char> text, AnswerParts parts) => parts.AddText(text);

    public void Complete(AnswerParts parts, bool isCut)
    {
    }
}
