namespace OllamaMax.GpuWorker.Processes;

/// <summary>
/// What a model's process has of our environment: where libraries and folders are, and how GPUs are chosen. Everything else stays
/// here, and secrets with it: a list of what they are called would never be whole.
/// </summary>
internal static class ModelEnvironment
{
    private static readonly string[] Names =
    [
        "PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "DISPLAY",
        "SystemRoot", "windir", "SystemDrive", "ComSpec", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "ProgramData", "ProgramFiles",
        "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE", "OLLAMAMAX_LLAMA_DIR",
    ];

    private static readonly string[] Prefixes =
        ["LC_", "DOTNET_", "DYLD_", "CUDA_", "NVIDIA_", "HIP_", "HSA_", "ROCR_", "GPU_", "GGML_", "LLAMA_", "VK_", "OMP_", "GOMP_", "KMP_"];

    public static bool IsHandedOn(string name) =>
        Names.Contains(name, StringComparer.OrdinalIgnoreCase)
        || Prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));

    /// <summary>Takes out of a child's environment what it is not to have.</summary>
    public static void Apply(IDictionary<string, string?> environment)
    {
        foreach (string name in environment.Keys.Where(name => !IsHandedOn(name)).ToList())
            environment.Remove(name);
        // A failed assertion ends the process in any case; the debugger that it would start can hang for minutes.
        environment["GGML_NO_BACKTRACE"] = "1";
        // Every worker's every model would open a diagnostics port.
        environment["DOTNET_EnableDiagnostics"] = "0";
    }
}
