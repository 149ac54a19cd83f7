namespace OllamaMax.LocalHost.Processes;

/// <summary>
/// Notices that the <c>dotnet run</c> that started us was killed. It hands signals on, but a SIGKILL it cannot, and our
/// standard input is the terminal's, so the parent's process id is all there is to see it by. Linux only.
/// </summary>
internal static class ParentWatch
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    /// <summary>Ends when the parent was <c>dotnet run</c> and is no more; never when it was something else.</summary>
    public static async Task WaitForOrphanedAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        int parent = OperatingSystem.IsLinux() ? ParentPid() : 0;
        if (parent == 0 || !IsDotnetRun(parent))
            await Task.Delay(Timeout.Infinite, cancellationToken);
        using PeriodicTimer timer = new(Every, time);
        while (ParentPid() == parent)
            await timer.WaitForNextTickAsync(cancellationToken);
    }

    internal static bool IsDotnetRun(IReadOnlyList<string> commandLine) =>
        commandLine.Count > 1 && Path.GetFileName(commandLine[0]) == "dotnet" && commandLine.Skip(1).Contains("run");

    private static bool IsDotnetRun(int pid)
    {
        string file = $"/proc/{pid}/cmdline";
        return File.Exists(file) && IsDotnetRun(File.ReadAllText(file).Split('\0'));
    }

    private static int ParentPid()
    {
        const string Field = "PPid:";
        string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith(Field, StringComparison.Ordinal));
        return int.Parse(line.AsSpan(Field.Length), System.Globalization.CultureInfo.InvariantCulture);
    }
}
