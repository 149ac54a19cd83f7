using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace OllamaMax.Inference.Native.LlamaCpp;

/// <summary>Loads llama.cpp into the process, once, and makes sure that it is the version whose layout this binding has.</summary>
internal static unsafe partial class LlamaLibrary
{
    public const string Version = "0.5.0";

    private static readonly Lock s_lock = new();
    private static readonly Dictionary<string, nint> s_libraries = [];
    private static string? s_directory;

    /// <summary>Loads the libraries if that has not been done yet; the log goes to the latest caller's logger.</summary>
    /// <exception cref="ModelLoadException">There are none, or they are of another version.</exception>
    public static void Load(ILoggerFactory loggers)
    {
        lock (s_lock)
        {
            if (s_directory is null)
                Load_NeedsLock(LlamaLocator.FindDirectory(), loggers);
            else
                NativeLog.RouteTo(loggers.CreateLogger("llama.cpp"));
        }
    }

    /// <summary>Libraries for GPUs that are there and found none, with what keeps each of them from it: llama.cpp passes over them in silence.</summary>
    public static IReadOnlyList<string> Unused { get; private set; } = [];

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnLog(int level, byte* text, void* userData)
    {
        if (text is not null)
            NativeLog.Append(level, MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
    }

    private static void Load_NeedsLock(string directory, ILoggerFactory loggers)
    {
        if (s_libraries.Count == 0)
        {
            LoadFile_NeedsLock(directory, LlamaApi.Llama);
            LoadFile_NeedsLock(directory, LlamaApi.Ggml);
            LoadFile_NeedsLock(directory, LlamaApi.GgmlBase);
            NativeLibrary.SetDllImportResolver(Assembly.GetExecutingAssembly(), Resolve);
        }
        CheckVersion(directory);
        PrepareEnvironment();
        NativeLog.RouteTo(loggers.CreateLogger("llama.cpp"));
        LlamaApi.SetLog(&OnLog, null);
        LlamaApi.LoadBackends(directory);
        string? fallback = LlamaLocator.FindFallback(directory);
        if (!HasGpu() && fallback is not null)
            LlamaApi.LoadBackends(fallback);
        Unused = HasGpu() ? [] : [.. LlamaLocator.GpuLibraries(directory, fallback).Select(WhyUnused)];
        if (LlamaApi.DeviceCount() == 0)
            throw new ModelLoadException($"llama.cpp found no device to compute on: {directory} holds no library for this processor.");
        LlamaApi.BackendInit();
        s_directory = directory;
    }

    // With its full path: what else is installed on the machine under the same name is not this version.
    private static void LoadFile_NeedsLock(string directory, string name)
    {
        string file = LlamaLocator.FindLibrary(directory, name)
            ?? throw new ModelLoadException($"There is no {name} library in {directory}.");
        try
        {
            s_libraries[name] = NativeLibrary.Load(file);
        }
        catch (Exception failure) when (failure is DllNotFoundException or BadImageFormatException)
        {
            throw new ModelLoadException($"{file} cannot be loaded: {failure.Message}", failure);
        }
    }

    // Neither a processor nor what helps it, such as BLAS.
    private static bool HasGpu() => Enumerable.Range(0, (int)LlamaApi.DeviceCount()).Any(static index => LlamaApi.DeviceType(LlamaApi.Device((nuint)index)) is not (0 or 3));

    private static string WhyUnused(string file)
    {
        try
        {
            NativeLibrary.Free(NativeLibrary.Load(file));
            return $"{file} finds no GPU that it can use.";
        }
        catch (Exception failure) when (failure is DllNotFoundException or BadImageFormatException)
        {
            // The loader's own words come last, behind advice about how to get them.
            return $"{file} cannot be loaded: {failure.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^1]}";
        }
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        s_libraries.TryGetValue(name, out nint library) ? library : 0;

    private static void CheckVersion(string directory)
    {
        string? version = Marshal.PtrToStringUTF8((nint)LlamaApi.Version());
        if (version is null || !version.StartsWith(Version, StringComparison.Ordinal))
            throw new ModelLoadException($"llama.cpp in {directory} is version {version}; this program needs {Version}.");
    }

    // A crash would otherwise start a debugger and wait for it. .NET keeps an environment of its own on Unix,
    // which native code does not see, hence setenv.
    private static void PrepareEnvironment()
    {
        if (OperatingSystem.IsWindows())
            Environment.SetEnvironmentVariable("GGML_NO_BACKTRACE", "1");
        else
            _ = SetEnvironment("GGML_NO_BACKTRACE", "1", 1);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
