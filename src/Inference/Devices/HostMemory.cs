using System.Globalization;

namespace OllamaMax.Inference.Devices;

/// <summary>The machine's own memory, in bytes.</summary>
public static class HostMemory
{
    /// <summary>Of the machine, or what the container is allowed to have.</summary>
    public static long Total => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>That nobody uses at the moment; the system's caches of files count as free.</summary>
    public static long Free
    {
        get
        {
            const string label = "MemAvailable:";
            const string file = "/proc/meminfo";
            if (!OperatingSystem.IsLinux() || !File.Exists(file))
                return Math.Max(0, Total - GC.GetGCMemoryInfo().MemoryLoadBytes);
            string line = File.ReadLines(file).First(line => line.StartsWith(label, StringComparison.Ordinal));
            long kilobytes = long.Parse(line[label.Length..].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
            return Math.Min(kilobytes << 10, Total);
        }
    }
}
