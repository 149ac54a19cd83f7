using System.Runtime.InteropServices;

namespace OllamaMax.LocalHost.Processes;

/// <summary>What .NET's Process cannot do: ask a process to end.</summary>
internal static partial class UnixSignals
{
    private const int SigTerm = 15;

    /// <summary>Sends SIGTERM. A process that has just ended is no error.</summary>
    public static void Terminate(int pid) => _ = Kill(pid, SigTerm);

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int pid, int signal);
}
