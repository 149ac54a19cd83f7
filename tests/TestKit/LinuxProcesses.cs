using System.Globalization;

namespace OllamaMax.TestKit;

/// <summary>What /proc knows about processes.</summary>
public static class LinuxProcesses
{
    public static IReadOnlyList<int> ChildrenOf(int pid) => [.. Directory.EnumerateDirectories("/proc")
        .Select(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out int id) ? id : 0)
        .Where(id => id != 0 && ParentOf(id) == pid)];

    /// <summary>Its arguments, one space between them.</summary>
    public static string CommandLineOf(int pid) => File.ReadAllText($"/proc/{pid}/cmdline").Replace('\0', ' ');

    /// <summary>Whether a TCP connection from this port of the machine is the process's.</summary>
    public static bool HasConnectionFrom(int pid, int port)
    {
        try
        {
            string end = string.Create(CultureInfo.InvariantCulture, $":{port:X4}");
            // "slot local remote state queues timer retries uid timeout inode …", addresses in hexadecimal.
            string[] kinds = ["tcp", "tcp6"];
            HashSet<string> inodes = [.. kinds
                .SelectMany(kind => File.ReadLines($"/proc/{pid}/net/{kind}").Skip(1))
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(fields => fields[1].EndsWith(end, StringComparison.Ordinal))
                .Select(fields => $"socket:[{fields[9]}]")];
            return Directory.EnumerateFiles($"/proc/{pid}/fd").Any(file => new FileInfo(file).LinkTarget is { } target && inodes.Contains(target));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has ended, or one of its files has just been closed.
            return false;
        }
    }

    /// <summary>Files and folders whose changes it is told of.</summary>
    public static int WatchesOf(int pid) =>
        Directory.EnumerateFiles($"/proc/{pid}/fdinfo").Where(File.Exists).Sum(file => File.ReadLines(file).Count(line => line.StartsWith("inotify ", StringComparison.Ordinal)));

    /// <summary>Memory of it that is in RAM, in bytes.</summary>
    public static long ResidentBytesOf(int pid)
    {
        return long.Parse(StatusOf(pid, "VmRSS").TrimEnd("kB "), CultureInfo.InvariantCulture) * 1024;
    }

    /// <summary>Whether it ignores a signal; what it starts does likewise, as a shell's background processes do with SIGINT.</summary>
    public static bool Ignores(int pid, int signal) => (ulong.Parse(StatusOf(pid, "SigIgn"), NumberStyles.HexNumber, CultureInfo.InvariantCulture) >> (signal - 1) & 1) == 1;

    /// <summary>Processor time that it has taken so far, in and outside the kernel; to 10 ms.</summary>
    public static TimeSpan CpuTimeOf(int pid)
    {
        // utime and stime, fields 14 and 15, in hundredths of a second on every Linux.
        string[] fields = StatOf(pid);
        return TimeSpan.FromMilliseconds(10 * (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)));
    }

    /// <summary>Null when there is no such process (any more).</summary>
    private static int? ParentOf(int pid)
    {
        try
        {
            return int.Parse(StatOf(pid)[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static ReadOnlySpan<char> StatusOf(int pid, string field) =>
        File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith($"{field}:", StringComparison.Ordinal)).AsSpan(field.Length + 1).Trim();

    /// <summary>The fields from the third on: "pid (name) state ppid …"; the name may hold anything, so what counts begins after its last parenthesis.</summary>
    private static string[] StatOf(int pid)
    {
        string stat = File.ReadAllText($"/proc/{pid}/stat");
        return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
    }
}
