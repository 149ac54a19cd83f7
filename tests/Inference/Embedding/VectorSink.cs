using System.Runtime.InteropServices;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Tests.Embedding;

/// <summary>Keeps the vectors it is given.</summary>
internal sealed class VectorSink : ITokenSink
{
    public Action<int>? OnVector { get; init; }

    public AttemptStart? Start { get; private set; }

    public int FirstIndex { get; private set; } = -1;

    public List<float[]> Vectors { get; } = [];

    /// <summary>Of each text.</summary>
    public List<int> Tokens { get; } = [];

    public void Started(AttemptStart start)
    {
        Start.ShouldBeNull();
        Start = start;
    }

    public void Write(int index, int token, ReadOnlySpan<byte> piece, TokenLogprobs? logprobs = null)
    {
        if (FirstIndex < 0)
            FirstIndex = index;
        index.ShouldBe(FirstIndex + Vectors.Count);
        Tokens.Add(token);
        Vectors.Add(MemoryMarshal.Cast<byte, float>(piece).ToArray());
        OnVector?.Invoke(index);
    }
}
