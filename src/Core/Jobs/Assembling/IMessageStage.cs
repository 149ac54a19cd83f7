namespace OllamaMax.Jobs.Assembling;

/// <summary>Takes apart what a model writes in several messages, each with a header that says what it is.</summary>
internal interface IMessageStage : ITextStage
{
    /// <summary>Inside the reasoning.</summary>
    bool IsThinking { get; }

    /// <summary>Inside the final answer.</summary>
    bool IsFinal { get; }
}
