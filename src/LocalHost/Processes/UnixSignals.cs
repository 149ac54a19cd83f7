using System.Runtime.InteropServices;

namespace OllamaMax.LocalHost.Processes;

/// <summary>What .NET's Process cannot do: ask a process to end.</summary>
internal static partial class UnixSignals
{
    private const int SigInt = 2;
    private const int SigTerm = 15;

    /// <summary>Sends SIGTERM. A process that has just ended is no error.</summary>
    public static void Terminate(int pid) => _ = Kill(pid, SigTerm);

    /// <summary>Sends SIGINT, which is what Ctrl-C is to a process.</summary>
    public static void Interrupt(int pid) => _ = Kill(pid, SigInt);

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int pid, int signal);
}
