using System.Net;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.GpuWorker.Dispatch;
using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.GpuWorker.Models;
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
    SlotGate slots,
    WorkerDispatcher dispatcher,
    TokenMeter meter,
    IOptions<WorkerOptions> options,
    TimeProvider time,
    ILogger<Heartbeat> logger)
{
    private static readonly TimeSpan Busy = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(2);

    /// <summary>Metadata holds 8 KB in all; a model takes about 150 bytes.</summary>
    private const int MostModels = 40;

    private static readonly string Program = typeof(Heartbeat).Assembly.GetName().Version!.ToString(3);

    private readonly WakeSignal _changed = new(time);
    private TimeSpan _writtenAt;

    public void ReportSoon() => _changed.Set();

    public async Task RunAsync(CancellationToken stopping)
    {
        models.Changed += ReportSoon;
        dispatcher.SlotFreed += ReportIfDue;
        try
        {
            while (true)
            {
                TimeSpan next = await WriteAsync(stopping) ? Interval() : Retry;
                _writtenAt = time.Elapsed();
                await _changed.WaitAsync(next, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    /// <summary>A worker that runs short jobs now and then reports as often as a busy one.</summary>
    private void ReportIfDue()
    {
        if (time.Elapsed() - _writtenAt >= Busy)
            ReportSoon();
    }

    /// <summary>Writes the report now; false when storage could not be reached.</summary>
    /// <param name="left">Whether it is the last one.</param>
    public async Task<bool> WriteAsync(CancellationToken cancellationToken, bool left = false)
    {
        try
        {
            var metadata = new Dictionary<string, string> { [Heartbeats.ReportKey] = Heartbeats.Write(Report() with { Left = left }) };
            await new BlobClient(new Uri(capabilities.Current.HeartbeatUrl))
                .UploadAsync(BinaryData.Empty, new BlobUploadOptions { Metadata = metadata }, cancellationToken);
            return true;
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            LogNotWritten(e);
            return false;
        }
    }

    private TimeSpan Interval() => slots.Used > 0 ? Busy : Idle;

    private WorkerReport Report() => new()
    {
        Version = ProtocolVersion.Current,
        Id = capabilities.WorkerId,
        Name = options.Value.Name,
        Host = Dns.GetHostName(),
        Pid = Environment.ProcessId,
        Site = options.Value.Site,
        Program = Program,
        Draining = dispatcher.IsDraining,
        SlotsUsed = slots.Used,
        SlotsTotal = slots.Total,
        IntervalSeconds = Interval().TotalSeconds,
        Models = [.. models.Held().OrderByDescending(model => model.Loaded).Take(MostModels)],
        Devices = [$"cpu, {Environment.ProcessorCount} threads"],
        TokensPerSecond = meter.Read(),
    };

    [LoggerMessage(Level = LogLevel.Warning, Message = "The heartbeat was not written; trying again")]
    private partial void LogNotWritten(Exception exception);
}
