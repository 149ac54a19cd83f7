using OllamaMax.Replication;
using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.Cluster;

/// <summary>
/// A worker writes its report itself, so what it says is believed within bounds: what lies beyond them is brought back to them and flagged. Nothing that a
/// worker claims draws all jobs to it, keeps it alive for ever, or stops an edge.
/// </summary>
public static class ReportBounds
{
    public const int MostSlots = 1024;
    public const long MostMemory = 64L << 40;
    public const double MostTokensPerSecond = 1_000_000;

    /// <summary>Models in memory or on disk.</summary>
    public const int MostModels = 5000;

    /// <summary>Bytes of disk.</summary>
    public const long MostDisk = 16L << 50;

    private const int MostDevices = 256;
    private const int MostTransfers = 64;
    private const int LongestText = 200;
    private const double LeastInterval = 1;
    private const double MostInterval = 600;

    /// <summary>The report within the bounds, and the flags for what was not; the same instance where all was.</summary>
    public static (WorkerReport Report, IReadOnlyList<string> Flags) Check(WorkerReport report)
    {
        HashSet<string> flags = [];
        WorkerReport bounded = report with
        {
            Name = Text(report.Name, flags),
            Host = Text(report.Host, flags),
            Program = Text(report.Program, flags),
            Site = report.Site is null ? null : Text(report.Site, flags),
            SlotsTotal = Clamp(report.SlotsTotal, 0, MostSlots, WorkerFlags.Slots, flags),
            IntervalSeconds = Clamp(report.IntervalSeconds, LeastInterval, MostInterval, WorkerFlags.Interval, flags),
            Models = List(report.Models, MostModels, flags, model => Check(model, flags)),
            Devices = List(report.Devices, MostDevices, flags, device => Check(device, flags)),
            MemoryTotal = Clamp(report.MemoryTotal, 0, MostMemory, WorkerFlags.Memory, flags),
            TokensPerSecond = Speed(report.TokensPerSecond, flags),
            Transfers = report.Transfers is null ? null : List(report.Transfers, MostTransfers, flags, transfer => Check(transfer, flags)),
            Disk = report.Disk is null ? null : Text(report.Disk, flags),
            DiskRoom = Disk(report.DiskRoom, flags),
            DiskEvictable = Disk(report.DiskEvictable, flags),
            DiskError = report.DiskError is null ? null : Text(report.DiskError, flags),
        };
        bounded = bounded with
        {
            SlotsUsed = Clamp(report.SlotsUsed, 0, MostSlots, WorkerFlags.Slots, flags),
            // More free than there is, is no lie: the figures are measured one after the other, and differently.
            MemoryFree = Math.Min(Clamp(report.MemoryFree, 0, MostMemory, WorkerFlags.Memory, flags), bounded.MemoryTotal),
        };
        return flags.Count == 0 ? (report, []) : (bounded, [.. flags.Order(StringComparer.Ordinal)]);
    }

    /// <summary>What it says of its slots between its reports, within the same bounds.</summary>
    public static WorkerMessage Check(WorkerMessage message) => message.SlotsTotal is >= 0 and <= MostSlots && message.SlotsUsed is >= 0 and <= MostSlots
        ? message
        : message with { SlotsTotal = Math.Clamp(message.SlotsTotal, 0, MostSlots), SlotsUsed = Math.Clamp(message.SlotsUsed, 0, MostSlots) };

    /// <summary>The views with a flag on each of those that share a name. Who is gone has left it to others.</summary>
    public static IReadOnlyList<WorkerView> FlagNames(IReadOnlyList<WorkerView> workers)
    {
        HashSet<string> taken = [.. workers.Where(IsThere).CountBy(worker => worker.Report.Name).Where(name => name.Value > 1).Select(name => name.Key)];
        return taken.Count == 0
            ? workers
            : [.. workers.Select(worker => IsThere(worker) && taken.Contains(worker.Report.Name) ? worker with { Flags = [.. worker.Flags, WorkerFlags.Name] } : worker)];

        static bool IsThere(WorkerView worker) => worker.State != WorkerState.Gone;
    }

    private static HeldModel Check(HeldModel model, HashSet<string> flags) => model with
    {
        Bytes = Memory(model.Bytes, flags),
        VramBytes = Memory(model.VramBytes, flags),
        ContextLength = model.ContextLength is { } length ? Clamp(length, 0, int.MaxValue, WorkerFlags.Shape, flags) : null,
        ExpiresIn = model.ExpiresIn is { } seconds ? Clamp(seconds, 0, int.MaxValue, WorkerFlags.Shape, flags) : null,
        TokensPerSecond = Speed(model.TokensPerSecond, flags),
    };

    private static ReplicaTransfer Check(ReplicaTransfer transfer, HashSet<string> flags) => new(
        Text(transfer.Digest, flags),
        Clamp(transfer.Completed, 0, MostDisk, WorkerFlags.Memory, flags),
        Clamp(transfer.Total, 0, MostDisk, WorkerFlags.Memory, flags),
        Clamp(transfer.BytesPerSecond, 0, MostDisk, WorkerFlags.Speed, flags))
    {
        Error = transfer.Error is null ? null : Text(transfer.Error, flags),
        Cancelled = transfer.Cancelled,
    };

    private static WorkerDevice Check(WorkerDevice device, HashSet<string> flags)
    {
        long total = Clamp(device.VramTotal, 0, MostMemory, WorkerFlags.Memory, flags);
        return device with { VramTotal = total, VramFree = Math.Min(Clamp(device.VramFree, 0, MostMemory, WorkerFlags.Memory, flags), total) };
    }

    private static long? Memory(long? bytes, HashSet<string> flags) => bytes is { } value ? Clamp(value, 0, MostMemory, WorkerFlags.Memory, flags) : null;

    private static long? Disk(long? bytes, HashSet<string> flags) => bytes is { } value ? Clamp(value, 0, MostDisk, WorkerFlags.Memory, flags) : null;

    private static double? Speed(double? speed, HashSet<string> flags) =>
        speed is { } value ? Clamp(value, 0, MostTokensPerSecond, WorkerFlags.Speed, flags) : null;

    /// <summary>JSON has no word for what is missing but null, whatever the type says.</summary>
    private static string Text(string? text, HashSet<string> flags)
    {
        if (text is { Length: <= LongestText })
            return text;
        flags.Add(WorkerFlags.Shape);
        return text is null ? "" : text[..LongestText];
    }

    private static IReadOnlyList<T> List<T>(IReadOnlyList<T>? list, int most, HashSet<string> flags, Func<T, T> check)
        where T : class
    {
        if (list is null || list.Count > most || list.Any(item => item is null))
            flags.Add(WorkerFlags.Shape);
        return [.. (list ?? []).Where(item => item is not null).Take(most).Select(check)];
    }

    private static T Clamp<T>(T value, T least, T most, string flag, HashSet<string> flags)
        where T : IComparable<T>
    {
        // A comparison with NaN says that it is less than everything.
        if (value.CompareTo(least) >= 0 && value.CompareTo(most) <= 0)
            return value;
        flags.Add(flag);
        return value.CompareTo(least) < 0 ? least : most;
    }
}
