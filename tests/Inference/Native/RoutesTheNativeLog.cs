namespace OllamaMax.Inference.Tests.Native;

/// <summary>The native library has one log for the process, and each model that is loaded routes it anew: nothing else runs beside these.</summary>
[CollectionDefinition(nameof(RoutesTheNativeLog), DisableParallelization = true)]
public sealed class RoutesTheNativeLog;
