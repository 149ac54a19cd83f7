namespace OllamaMax.Inference.Native;

/// <summary>Who runs the model.</summary>
public enum NativeKind
{
    /// <summary>LLamaSharp where it is built in (package set <c>full</c>), else llama.cpp directly.</summary>
    Default,

    /// <summary>llama.cpp's C API, by this project's own binding.</summary>
    LlamaCpp,

    /// <summary>LLamaSharp; only in the package set <c>full</c>.</summary>
    LLamaSharp,
}
