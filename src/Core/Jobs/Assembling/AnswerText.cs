namespace OllamaMax.Jobs.Assembling;

/// <summary>
/// What a job's readers are told of its tokens: what is final, and with it the tokens' probabilities, where the job asks for them. Not safe for concurrent use.
/// </summary>
internal sealed class AnswerText(Job job)
{
    private readonly Assembler _assembler = new(job.Stop, job.Parsing);
    private readonly LogprobsQueue _logprobs = new();

    /// <inheritdoc cref="Assembler.Tokens"/>
    public int Tokens => _assembler.Tokens;

    /// <inheritdoc cref="Assembler.ReasoningTokens"/>
    public int ReasoningTokens => _assembler.ReasoningTokens;

    /// <inheritdoc cref="Assembler.StoppedBy"/>
    public string? StoppedBy => _assembler.StoppedBy;

    /// <summary>Tokens without text come with the next that has some; whether any are left of them after the last of these.</summary>
    public bool HasRest => _logprobs.HasAny(_assembler.DecidedTokens);

    public Assembled Append(Chunk chunk)
    {
        Assembled piece = _assembler.Append(chunk);
        if (job.Options.TopLogprobs is not null)
            _logprobs.Add(chunk);
        return piece;
    }

    /// <inheritdoc cref="Assembler.Complete"/>
    public Assembled Complete(bool isCut) => _assembler.Complete(isCut);

    /// <summary>What has become final, as it is told, with the tokens since the last time.</summary>
    public JobOutput.Delta Tell(Assembled piece) => new(piece.Text, Tokens)
    {
        Thinking = piece.Thinking,
        ToolCalls = piece.ToolCalls,
        Logprobs = _logprobs.Take(_assembler.DecidedTokens),
    };
}
