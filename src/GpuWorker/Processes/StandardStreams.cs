using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OllamaMax.GpuWorker.Processes;

/// <summary>Standard input and output as a pipe for frames.</summary>
internal static partial class StandardStreams
{
    private const int StandardOutput = 1;
    private const int StandardError = 2;

    /// <summary>
    /// Takes the output away from everybody else: a native library that prints to it would break the frames. What it prints goes to
    /// standard error instead. (On Windows a C library has handles of its own, opened before this runs: nothing is moved there.)
    /// </summary>
    public static (Stream Input, Stream Output) Take()
    {
        if (OperatingSystem.IsWindows())
            return (Console.OpenStandardInput(), Console.OpenStandardOutput());
        int own = Duplicate(StandardOutput);
        if (own < 0 || Duplicate(StandardError, StandardOutput) < 0)
            throw new IOException($"standard output cannot be taken: error {Marshal.GetLastPInvokeError()}");
        return (Console.OpenStandardInput(), new FileStream(new SafeFileHandle(own, ownsHandle: true), FileAccess.Write, bufferSize: 0));
    }

    [LibraryImport("libc", EntryPoint = "dup", SetLastError = true)]
    private static partial int Duplicate(int descriptor);

    [LibraryImport("libc", EntryPoint = "dup2", SetLastError = true)]
    private static partial int Duplicate(int descriptor, int to);
}
