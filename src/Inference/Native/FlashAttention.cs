namespace OllamaMax.Inference.Native;

/// <summary>
/// Whether attention is computed in one pass: faster and smaller on GPUs, but it rounds to half precision on the way, on CPUs too. Then
/// what a job says can depend on who is decoded beside it. <see cref="Off"/> together with <see cref="CacheType.F32"/> is exact.
/// </summary>
public enum FlashAttention
{
    /// <summary>As the library finds best.</summary>
    Auto,
    Off,
    On,
}
