using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.GpuWorker.Dispatch;
using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.GpuWorker.Forwarding;
using OllamaMax.GpuWorker.Models;
using OllamaMax.Inference.Devices;
using OllamaMax.Jobs;
using OllamaMax.Replication;
using OllamaMax.Storage;
using OllamaMax.Storage.Workers;
using OllamaMax.Streaming;
using OllamaMax.Workers;
using OllamaMax.Workers.Attempts;

namespace OllamaMax.GpuWorker.Health;

/// <summary>
/// Writes this worker's report into its heartbeat blob: every 10 s while busy, every 60 s while idle, and at once when its models
/// or its willingness change. A loop of its own, so that nothing can hold it up.
/// </summary>
internal sealed partial class Heartbeat(
    Capabilities capabilities,
    ModelHost models,
    ReplicaStore replicas,
    ForwardedServers forwards,
    SlotGate slots,
    WorkerDispatcher dispatcher,
    ModelMeters meters,
    MachineDevices devices,
    DecoderWatch decoders,
    StandingOrders orders,
    HeartbeatBlob blob,
    SignedStorage storage,
    IOptions<WorkerOptions> options,
    TimeProvider time,
    ILogger<Heartbeat> logger)
{
    private static readonly TimeSpan Busy = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(2);

    /// <summary>How often it shows how far a copy is.</summary>
    private static readonly TimeSpan Fetching = TimeSpan.FromSeconds(2);

    /// <summary>Of the reason why a copy could not be had: the report has little room.</summary>
    private const int LongestError = 160;

    private static readonly string Program = typeof(Heartbeat).Assembly.GetName().Version!.ToString(3);

    private readonly WakeSignal _changed = new(time);
    private TimeSpan _writtenAt;
    private TimeSpan _promised;
    private bool _hasToldOfDevices;

    public void ReportSoon() => _changed.Set();

    public async Task RunAsync(CancellationToken stopping)
    {
        models.Changed += ReportSoon;
        replicas.Changed += ReportSoon;
        forwards.Changed += ReportSoon;
        decoders.Changed += ReportSoon;
        dispatcher.SlotFreed += ReportIfDue;
        devices.Changed += ReportSoon;
        orders.Changed += ReportSoon;
        try
        {
            while (true)
            {
                _ = devices.RefreshAsync(stopping);
                TimeSpan next = !await WriteAsync(stopping) ? Retry : replicas.IsFetching ? Fetching : _promised;
                _writtenAt = time.Elapsed();
                await _changed.WaitAsync(next, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    /// <summary>A worker that runs short jobs now and then reports as often as a busy one; one that is drained at once, as people wait for that.</summary>
    private void ReportIfDue()
    {
        if (time.Elapsed() - _writtenAt >= Busy || (orders.Rests && slots.Used == 0))
            ReportSoon();
    }

    /// <summary>Writes the report now; false when storage could not be reached, or the folder of copies not be read.</summary>
    /// <param name="left">Whether it is the last one.</param>
    /// <exception cref="IdentityTakenException">Another process reports as this worker.</exception>
    public async Task<bool> WriteAsync(CancellationToken cancellationToken, bool left = false)
    {
        try
        {
            WorkerReport report = Report() with { Left = left };
            // What it says of the next one holds, though all slots become free while it is written: a worker that is late by its own word is suspect.
            _promised = TimeSpan.FromSeconds(report.IntervalSeconds);
            HeartbeatDocument document = HeartbeatDocument.Of(report, forwards.Models);
            if (document.DevicesLeftOut > 0 && !_hasToldOfDevices)
                LogDevicesLeftOut(document.DevicesLeftOut, report.Devices.Count);
            _hasToldOfDevices |= document.DevicesLeftOut > 0;
            await blob.WriteAsync(document, left, cancellationToken);
            return true;
        }
        catch (Exception e) when (StorageFailure.Is(e, cancellationToken) || e is UnauthorizedAccessException)
        {
            // The folder of copies that cannot be looked into may pass as storage's failures do.
            LogNotWritten(e);
            return false;
        }
    }

    private TimeSpan Interval() => slots.Used > 0 || replicas.IsFetching ? Busy : Idle;

    private WorkerReport Report()
    {
        // Before the models are described: they show what was measured last.
        double? tokensPerSecond = meters.Read();
        return Report(tokensPerSecond, replicas.Pinned(), replicas.Transfers);
    }

    private WorkerReport Report(double? tokensPerSecond, IReadOnlySet<string> pinned, IReadOnlyList<ReplicaTransfer> transfers) => new()
    {
        Version = ProtocolVersion.Current,
        Id = capabilities.WorkerId,
        Name = options.Value.Name,
        Host = Dns.GetHostName(),
        Pid = Environment.ProcessId,
        Instance = blob.Instance,
        Site = options.Value.Site,
        Labels = options.Value.Labels.Count > 0 ? options.Value.Labels : null,
        Program = Program,
        Draining = dispatcher.IsDraining || orders.Rests,
        SlotsUsed = slots.Used,
        SlotsTotal = slots.Total,
        IntervalSeconds = Interval().TotalSeconds,
        Models =
        [
            .. models.Held().Select(model => model with { Hangs = decoders.Hangs(model.Digest) ? true : null, Pinned = pinned.Contains(model.Digest) ? true : null }),
        ],
        Transfers = transfers.Count == 0 ? null : [.. transfers.Select(transfer => transfer with { Error = Short(transfer.Error) })],
        Disk = replicas.Disk,
        DiskRoom = replicas.Room,
        DiskEvictable = replicas.Evictable,
        DiskError = Short(replicas.DiskError),
        Devices = MachineDevices.Report(devices.Current),
        MemoryTotal = HostMemory.Total,
        MemoryFree = HostMemory.Free,
        TokensPerSecond = tokensPerSecond,
        Storage = storage.Operations.Count(),
    };

    private static string? Short(string? error) => error is { Length: > LongestError } ? error[..LongestError] : error;

    [LoggerMessage(Level = LogLevel.Warning, Message = "The heartbeat was not written; trying again")]
    private partial void LogNotWritten(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Heartbeats have no room for {LeftOut} of this worker's {Devices} devices: their memory is not reckoned with")]
    private partial void LogDevicesLeftOut(int leftOut, int devices);
}
