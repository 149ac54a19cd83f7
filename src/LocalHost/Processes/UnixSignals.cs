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

    /// <summary>Sends SIGSTOP: the process does nothing more, and knows nothing of it.</summary>
    public static void Suspend(int pid) => _ = Kill(pid, OperatingSystem.IsMacOS() ? 17 : 19);

    /// <summary>Sends SIGCONT: a suspended process goes on.</summary>
    public static void Resume(int pid) => _ = Kill(pid, OperatingSystem.IsMacOS() ? 19 : 18);

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int pid, int signal);
}
