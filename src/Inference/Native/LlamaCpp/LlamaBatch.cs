using System.Runtime.InteropServices;

namespace OllamaMax.Inference.Native.LlamaCpp;

/// <summary><c>llama_batch</c>: the arrays are the caller's.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LlamaBatch
{
    public int Count;
    public int* Tokens;
    public float* Embeddings;
    public int* Positions;
    public int* SequenceCounts;
    public int** Sequences;
    public byte* Outputs;
}
