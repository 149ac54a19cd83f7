using System.Runtime.InteropServices;
using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Tests.Forwarding;

/// <summary>Keeps vectors by their index, and counts tokens.</summary>
internal sealed class VectorsSink : ITokenSink
{
    public SortedDictionary<int, float[]> Vectors { get; } = [];

    public int Tokens { get; private set; }

    public void Started(AttemptStart start)
    {
    }

    public void Write(int index, int token, ReadOnlySpan<byte> piece, TokenLogprobs? logprobs = null)
    {
        Tokens += token;
        Vectors.Add(index, MemoryMarshal.Cast<byte, float>(piece).ToArray());
    }
}
