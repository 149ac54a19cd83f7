namespace OllamaMax.Inference.Native;

/// <summary>How keys and values of past tokens are kept. The smaller, the less memory and the less exact.</summary>
public enum CacheType
{
    F32,
    F16,

    /// <summary>ggml's <c>q8_0</c>.</summary>
    Q8,

    /// <summary>ggml's <c>q4_0</c>.</summary>
    Q4,
}
