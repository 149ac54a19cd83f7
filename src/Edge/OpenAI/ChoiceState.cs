using OllamaMax.Jobs;

namespace OllamaMax.Edge.OpenAI;

/// <summary>What was written of one choice, and how its job ended.</summary>
internal sealed class ChoiceState
{
    /// <summary>The first chunk, which names the role, has left.</summary>
    public bool HasBegun { get; set; }

    public int Calls { get; set; }

    /// <summary>Characters of a completion's text.</summary>
    public int TextLength { get; set; }

    public JobOutput.Finished? Finished { get; set; }
}
