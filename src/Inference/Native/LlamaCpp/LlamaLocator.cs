using System.Runtime.InteropServices;

namespace OllamaMax.Inference.Native.LlamaCpp;

/// <summary>Finds the directory with llama.cpp's libraries, and the files in it.</summary>
internal static class LlamaLocator
{
    /// <summary>Names the directory; without it the npm packages above the program are searched.</summary>
    public const string Variable = "OLLAMAMAX_LLAMA_DIR";

    /// <exception cref="ModelLoadException">There is none; the message says where was searched.</exception>
    public static string FindDirectory() =>
        FindDirectory(Environment.GetEnvironmentVariable(Variable), AppContext.BaseDirectory);

    public static string FindDirectory(string? configured, string start)
    {
        if (!string.IsNullOrEmpty(configured))
        {
            return FindLibrary(configured, LlamaApi.Llama) is null
                ? throw new ModelLoadException($"{Variable} is {configured}, but there is no llama library in it.")
                : Path.GetFullPath(configured);
        }
        for (string? directory = Path.GetFullPath(start); directory is not null; directory = Path.GetDirectoryName(directory))
        {
            foreach (string platform in Platforms())
            {
                string candidate = Path.Combine(directory, "node_modules", "@node-llama-cpp", platform, "bins", platform);
                if (FindLibrary(candidate, LlamaApi.Llama) is not null)
                    return candidate;
            }
        }
        throw new ModelLoadException(
            $"No llama.cpp libraries: run npm ci in the repository, or set {Variable}. Searched upwards from {start} "
            + $"for node_modules/@node-llama-cpp/{string.Join(" or ", Platforms())}.");
    }

    /// <summary>
    /// The folder with the library for an older CUDA, for boxes that lack what the one in <paramref name="directory"/> needs: in it, or in npm's package beside the one
    /// that it is of, as node-llama-cpp has it. Null when there is none.
    /// </summary>
    public static string? FindFallback(string directory)
    {
        string platform = Path.GetFileName(directory);
        string[] candidates =
        [
            Path.Combine(directory, "fallback"),
            Path.GetFullPath(Path.Combine(directory, "..", "..", "..", $"{platform}-ext", "bins", platform, "fallback")),
        ];
        return Array.Find(candidates, Directory.Exists);
    }

    /// <summary>The libraries of directories that compute on GPUs, by their full paths.</summary>
    public static IEnumerable<string> GpuLibraries(params IEnumerable<string?> directories) =>
        from directory in directories.OfType<string>()
        from name in (string[])["ggml-cuda", "ggml-vulkan", "ggml-hip"]
        from file in Directory.EnumerateFiles(directory, OperatingSystem.IsWindows() ? $"{name}.dll" : $"lib{name}.*")
        select file;

    /// <returns>The full path of a library such as <c>libllama.v0.5.0.so</c> or <c>libllama.cuda.v0.5.0.so</c>; null when it is not there.</returns>
    public static string? FindLibrary(string directory, string name)
    {
        if (!Directory.Exists(directory))
            return null;
        string[] patterns = OperatingSystem.IsWindows()
            ? [$"{name}.dll", $"{name}.*.dll"]
            : OperatingSystem.IsMacOS() ? [$"lib{name}.dylib", $"lib{name}.*.dylib"] : [$"lib{name}.so", $"lib{name}.*.so"];
        return patterns.SelectMany(pattern => Directory.EnumerateFiles(directory, pattern)).Order(StringComparer.Ordinal).FirstOrDefault();
    }

    // The faster ones first.
    private static IEnumerable<string> Platforms()
    {
        string architecture = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64";
        if (OperatingSystem.IsMacOS())
            return architecture == "arm64" ? ["mac-arm64-metal"] : ["mac-x64"];
        string system = OperatingSystem.IsWindows() ? "win" : "linux";
        return [$"{system}-{architecture}-cuda", $"{system}-{architecture}-vulkan", $"{system}-{architecture}"];
    }
}
