using System.Text;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>All that a finished job has put out.</summary>
/// <param name="Answer">All deltas in one; empty for an embedding job.</param>
/// <param name="Embeddings">In the inputs' order; none for any other job.</param>
internal sealed record WholeOutput(JobOutput.Delta Answer, IReadOnlyList<JobOutput.Embedding> Embeddings, JobOutput.Finished Finished);

/// <summary>Gathers a job's output.</summary>
internal sealed class WholeOutputBuilder
{
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _thinking = new();
    private readonly List<ToolCall> _calls = [];
    private readonly List<TokenText> _logprobs = [];
    private readonly List<JobOutput.Embedding> _embeddings = [];

    public bool IsEmpty => _text.Length == 0 && _thinking.Length == 0 && _calls.Count == 0;

    /// <summary>A model with broken weights computes what JSON cannot say.</summary>
    public bool HasBrokenVector => _embeddings.Exists(embedding => !Array.TrueForAll(embedding.Vector, float.IsFinite));

    public void Add(JobOutput.Delta delta)
    {
        _text.Append(delta.Text);
        _thinking.Append(delta.Thinking);
        _calls.AddRange(delta.ToolCalls);
        _logprobs.AddRange(delta.Logprobs);
    }

    public void Add(JobOutput.Embedding embedding) => _embeddings.Add(embedding);

    public WholeOutput Finish(JobOutput.Finished finished)
    {
        JobOutput.Delta answer = new(_text.ToString(), finished.Statistics.Tokens)
        {
            Thinking = _thinking.ToString(),
            ToolCalls = _calls,
            Logprobs = _logprobs,
        };
        return new(answer, _embeddings, finished);
    }
}
