namespace OllamaMax.Jobs.Records;

/// <summary>What a job's output says of its newest attempt (<see cref="OutputLog"/>).</summary>
public sealed record OutputFacts
{
    public static readonly OutputFacts None = new();

    /// <summary>Number of the newest attempt that has begun to write; 0: none.</summary>
    public int Attempt { get; init; }

    /// <summary>Tokens that were there when it began.</summary>
    public int From { get; init; }

    public int Tokens { get; init; }

    /// <summary>Whether another attempt can go on after the tokens: false where they are pieces without ids (<see cref="PieceKind"/>).</summary>
    public bool IsContinuable { get; init; } = true;

    public AttemptStart? Start { get; init; }

    /// <summary>How it ended, or the answer, whichever attempt has written that; null while neither is said.</summary>
    public AttemptEnd? End { get; init; }

    /// <summary>What attempts before it took to decode.</summary>
    public TimeSpan EvalBefore { get; init; }

    /// <summary>When the last of it was written, by storage's clock.</summary>
    public DateTimeOffset? WrittenAt { get; init; }
}
