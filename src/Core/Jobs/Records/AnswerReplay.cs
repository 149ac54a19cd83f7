using OllamaMax.Jobs.Assembling;
using OllamaMax.Jobs.Owning;

namespace OllamaMax.Jobs.Records;

/// <summary>
/// The way from a job's chunks to what its readers get. Depends on nothing but the tokens, so that whoever reads from token N on gets
/// the same text as who was there all the time. An embedding job's chunks have vectors instead, and no text. Not safe for concurrent use.
/// </summary>
public sealed class AnswerReplay(Job job)
{
    private readonly AnswerText _text = new(job);
    private readonly bool _isEmbedding = job.EmbedInputs is not null;
    private int _vectors;

    /// <summary>Tokens of the answer so far, none after a stop string; of an embedding job the vectors.</summary>
    public int Tokens => _isEmbedding ? _vectors : _text.Tokens;

    /// <summary>A completed job's figures, with what only its answer tells.</summary>
    public JobStatistics Complete(JobStatistics statistics) => statistics with { ReasoningTokens = _text.ReasoningTokens };

    /// <summary>A stop string was found: the answer ends here, whatever comes.</summary>
    public bool IsStopped => _text.StoppedBy is not null;

    /// <summary>Takes the next chunk and answers what has become final with it, often nothing.</summary>
    public JobOutput.Delta Append(Chunk chunk)
    {
        if (_isEmbedding)
        {
            _vectors += chunk.Tokens.Length;
            return Nothing();
        }
        Assembled piece = _text.Append(chunk);
        return piece.IsEmpty ? Nothing() : _text.Tell(piece);
    }

    /// <summary>The vectors in a chunk of an embedding job; none in any other's.</summary>
    public IEnumerable<JobOutput.Embedding> Vectors(Chunk chunk) => _isEmbedding ? EmbeddingChunks.Read(chunk) : [];

    /// <summary>The answer has ended: what was held back is final.</summary>
    /// <param name="reason">Why; null: it is not known.</param>
    public JobOutput.Delta Complete(FinishReason? reason) => _isEmbedding ? Nothing() : _text.Tell(_text.Complete(isCut: reason == FinishReason.Length));

    private JobOutput.Delta Nothing() => new("", Tokens);
}
