using Microsoft.Extensions.Logging;
using OllamaMax.Inference.Native.LlamaCpp;
#if FULL
using OllamaMax.Inference.LLamaSharp;
#endif

namespace OllamaMax.Inference.Native;

/// <summary>Loads models with one of the natives of this build.</summary>
internal static class NativeModels
{
#if FULL
    public const NativeKind Default = NativeKind.LLamaSharp;
#else
    public const NativeKind Default = NativeKind.LlamaCpp;
#endif

    private static int s_loaded;

    /// <summary>Whether models are run by this project's own binding. LLamaSharp tells no devices, and lets one context of a process compute at a time.</summary>
    public static bool IsLlamaCpp(NativeKind kind) => Resolve(kind) == NativeKind.LlamaCpp;

    public static bool Has(NativeKind kind) => kind is NativeKind.Default or NativeKind.LlamaCpp || kind == Default;

    /// <exception cref="ModelLoadException">The library or the file cannot be used.</exception>
    /// <exception cref="OperationCanceledException"/>
    public static INativeModel Load(
        NativeKind kind, string path, ModelConfig config, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        kind = Resolve(kind);
        if (!Has(kind))
            throw new ModelLoadException($"{kind} is not in this build.");
        // Both bring libraries of the same names: the loader would give one of them those of the other.
        int loaded = Interlocked.CompareExchange(ref s_loaded, (int)kind, 0);
        if (loaded != 0 && loaded != (int)kind)
            throw new ModelLoadException($"{kind} cannot be used in a process that has loaded {(NativeKind)loaded}.");
#if FULL
        if (kind == NativeKind.LLamaSharp)
            return SharpModel.Load(path, config, loggers, cancellationToken);
#endif
        return LlamaModel.Load(path, config, loggers, cancellationToken);
    }

    private static NativeKind Resolve(NativeKind kind) => kind == NativeKind.Default ? Default : kind;
}
