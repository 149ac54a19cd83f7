using OllamaMax.Jobs.Assembling;

namespace OllamaMax.Jobs.Records;

/// <summary>
/// The way from a job's chunks to what its readers get. Depends on nothing but the tokens, so that whoever reads from token N on gets
/// the same text as who was there all the time. Not safe for concurrent use.
/// </summary>
public sealed class AnswerReplay(Job job)
{
    private readonly Assembler _assembler = new(job.Stop, job.Parsing);

    /// <summary>Tokens of the answer so far, none after a stop string.</summary>
    public int Tokens => _assembler.Tokens;

    /// <summary>A completed job's figures, with what only its answer tells.</summary>
    public JobStatistics Complete(JobStatistics statistics) => statistics with { ReasoningTokens = _assembler.ReasoningTokens };

    /// <summary>A stop string was found: the answer ends here, whatever comes.</summary>
    public bool IsStopped => _assembler.StoppedBy is not null;

    /// <summary>Takes the next chunk and answers what has become final with it, often nothing.</summary>
    public JobOutput.Delta Append(Chunk chunk) => Delta(_assembler.Append(chunk));

    /// <summary>The answer has ended: what was held back is final.</summary>
    public JobOutput.Delta Complete() => Delta(_assembler.Complete());

    private JobOutput.Delta Delta(Assembled assembled) =>
        new(assembled.Text, Tokens) { Thinking = assembled.Thinking, ToolCalls = assembled.ToolCalls };
}
