using OllamaMax.Jobs.Assembling;
using OllamaMax.Jobs.Owning;

namespace OllamaMax.Jobs.Records;

/// <summary>
/// The way from a job's chunks to what its readers get. Depends on nothing but the tokens, so that whoever reads from token N on gets
/// the same text as who was there all the time. An embedding job's chunks have vectors instead, and no text. Not safe for concurrent use.
/// </summary>
public sealed class AnswerReplay(Job job)
{
    private readonly Assembler _assembler = new(job.Stop, job.Parsing);
    private readonly bool _isEmbedding = job.EmbedInputs is not null;
    private int _vectors;

    /// <summary>Tokens of the answer so far, none after a stop string; of an embedding job the vectors.</summary>
    public int Tokens => _isEmbedding ? _vectors : _assembler.Tokens;

    /// <summary>A completed job's figures, with what only its answer tells.</summary>
    public JobStatistics Complete(JobStatistics statistics) => statistics with { ReasoningTokens = _assembler.ReasoningTokens };

    /// <summary>A stop string was found: the answer ends here, whatever comes.</summary>
    public bool IsStopped => _assembler.StoppedBy is not null;

    /// <summary>Takes the next chunk and answers what has become final with it, often nothing.</summary>
    public JobOutput.Delta Append(Chunk chunk)
    {
        if (!_isEmbedding)
            return Delta(_assembler.Append(chunk));
        _vectors += chunk.Tokens.Length;
        return Delta(Assembled.Nothing);
    }

    /// <summary>The vectors in a chunk of an embedding job; none in any other's.</summary>
    public IEnumerable<JobOutput.Embedding> Vectors(Chunk chunk) => _isEmbedding ? EmbeddingChunks.Read(chunk) : [];

    /// <summary>The answer has ended: what was held back is final.</summary>
    public JobOutput.Delta Complete() => Delta(_assembler.Complete());

    private JobOutput.Delta Delta(Assembled assembled) =>
        new(assembled.Text, Tokens) { Thinking = assembled.Thinking, ToolCalls = assembled.ToolCalls };
}
