using System.Globalization;
using Microsoft.Extensions.Options;

namespace OllamaMax.GpuWorker.Health;

/// <summary>What this box has of memory, and how much of it models may take.</summary>
internal sealed class MachineMemory(IOptions<WorkerOptions> options)
{
    /// <summary>The rest is for the system and the work beside the models.</summary>
    private const double ForModels = 0.8;

    /// <summary>Bytes for all models together.</summary>
    public long Budget => options.Value.Memory ?? (long)(Total() * ForModels);

    /// <summary>Of the machine, or what the container is allowed to have.</summary>
    public static long Total() => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>That nobody uses at the moment.</summary>
    public static long Free()
    {
        const string field = "MemAvailable:";
        const string file = "/proc/meminfo";
        if (!OperatingSystem.IsLinux() || !File.Exists(file))
            return Math.Max(0, Total() - GC.GetGCMemoryInfo().MemoryLoadBytes);
        string line = File.ReadLines(file).First(line => line.StartsWith(field, StringComparison.Ordinal));
        long kilobytes = long.Parse(line[field.Length..].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
        return Math.Min(kilobytes << 10, Total());
    }
}
