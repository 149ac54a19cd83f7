using System.Runtime.InteropServices;

namespace OllamaMax.Inference.Native;

/// <summary>A token that may be chosen; laid out as <c>llama_token_data</c>, so that native samplers work on it in place.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Candidate
{
    public int Token;
    public float Logit;
    public float Probability;
}
