using System.Runtime.InteropServices;

namespace OllamaMax.Inference.Native.LlamaCpp;

/// <summary><c>llama_token_data_array</c>; samplers shrink and reorder it in place.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LlamaTokenDataArray
{
    public Candidate* Data;
    public nuint Size;
    public long Selected;
    public byte Sorted;
}
