using OllamaMax.Placement;

namespace OllamaMax.Bench.Placement;

/// <summary>One request: a turn of a conversation, or all there is of it.</summary>
internal sealed class SimulatedJob
{
    public required Conversation Conversation { get; init; }

    public required JobPlacement Placement { get; init; }

    public required TimeSpan ArrivedAt { get; init; }

    public required int PromptTokens { get; init; }

    public required int AnswerTokens { get; init; }

    /// <summary>Tokens of the prompt that some worker has read before.</summary>
    public required int KnownTokens { get; init; }

    public HashSet<string> Excluded { get; } = [];

    public int Pushes { get; set; }

    /// <summary>Tokens that its worker did not have to read again.</summary>
    public int WarmTokens { get; set; }

    public bool IsReading { get; set; }

    /// <summary>Tokens to read, and then to generate.</summary>
    public double Left { get; set; }

    public bool HasEnded { get; set; }

    /// <summary>When a worker began with it.</summary>
    public TimeSpan StartedAt { get; set; }

    public TimeSpan FirstTokenAt { get; set; }
}
