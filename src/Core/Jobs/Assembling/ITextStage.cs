namespace OllamaMax.Jobs.Assembling;

/// <summary>
/// Takes something apart in text that comes in pieces. What it decides must not depend on how the text was cut: what may still become
/// something else is held back.
/// </summary>
internal interface ITextStage
{
    void Append(ReadOnlySpan<char> text, AnswerParts parts);

    /// <summary>No more text comes: what was held back is decided. Called once.</summary>
    /// <param name="parts">Takes it.</param>
    /// <param name="isCut">The model would have written more: a limit or a stop string ended the answer.</param>
    void Complete(AnswerParts parts, bool isCut);
}
