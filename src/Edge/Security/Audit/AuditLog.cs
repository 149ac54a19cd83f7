using System.Threading.Channels;
using Azure;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OllamaMax.Security;
using OllamaMax.Storage.Security;

namespace OllamaMax.Edge.Security.Audit;

/// <summary>
/// Writes the audit log. What comes while an append is on its way goes into the next one, so that a flood of denied calls costs storage one operation at a time; beyond
/// a bound the denied ones are only counted.
/// </summary>
internal sealed partial class AuditLog(AuditBlobs blobs, TimeProvider time, ILogger<AuditLog> logger) : BackgroundService
{
    private const int MostAtOnce = 500;
    private const int MostDenied = 5000;
    private const string ShuttingDown = "this edge is shutting down";
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);

    private readonly Channel<Entry> _entries = Channel.CreateUnbounded<Entry>(new() { SingleReader = true });
    private int _denied;
    private int _dropped;

    /// <summary>Done when the act stands in storage, or when that has failed, which the log of this process then tells instead.</summary>
    public Task WriteAsync(AuditRecord act)
    {
        TaskCompletionSource written = new(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_entries.Writer.TryWrite(new(act, written)))
            return written.Task;
        LogLost(act, ShuttingDown);
        return Task.CompletedTask;
    }

    /// <summary>Waits for nothing.</summary>
    public void NoteDenied(AuditRecord call)
    {
        if (Interlocked.Increment(ref _denied) > MostDenied)
        {
            Interlocked.Decrement(ref _denied);
            Interlocked.Increment(ref _dropped);
        }
        else if (!_entries.Writer.TryWrite(new(call, Written: null)))
        {
            LogLost(call, ShuttingDown);
        }
    }

    /// <summary>Done when all that was noted before stands in storage.</summary>
    public Task FlushAsync()
    {
        TaskCompletionSource written = new(TaskCreationOptions.RunContinuationsAsynchronously);
        return _entries.Writer.TryWrite(new(Record: null, written)) ? written.Task : Task.CompletedTask;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using CancellationTokenRegistration stop = stoppingToken.Register(() => _entries.Writer.TryComplete());
        while (await _entries.Reader.WaitToReadAsync(CancellationToken.None))
            await AppendAsync(stoppingToken);
    }

    private async Task AppendAsync(CancellationToken stopping)
    {
        List<Entry> taken = [];
        while (taken.Count < MostAtOnce && _entries.Reader.TryRead(out Entry? entry))
            taken.Add(entry);
        Interlocked.Add(ref _denied, -taken.Count(entry => entry is { Record: not null, Written: null }));
        List<AuditRecord> records = [.. taken.Select(entry => entry.Record).OfType<AuditRecord>()];
        if (Interlocked.Exchange(ref _dropped, 0) is > 0 and int dropped)
            records.Add(Dropped(dropped));
        try
        {
            using CancellationTokenSource limit = new(stopping.IsCancellationRequested ? StopPatience : Timeout.InfiniteTimeSpan, time);
            if (records.Count > 0)
                await blobs.AppendAsync(records, time.GetUtcNow(), limit.Token);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException or OperationCanceledException)
        {
            foreach (AuditRecord record in records)
                LogLost(record, e.Message);
        }
        finally
        {
            foreach (Entry entry in taken)
                entry.Written?.SetResult();
        }
    }

    private AuditRecord Dropped(int count) =>
        new(time.GetUtcNow(), "", null, "", "denied", $"{count} more calls, not recorded one by one", "", 0, "");

    /// <param name="Record">Null: only a wish to know when all before is written.</param>
    /// <param name="Written">Whoever waits; null: nobody, it is a denied call.</param>
    private sealed record Entry(AuditRecord? Record, TaskCompletionSource? Written);

    [LoggerMessage(Level = LogLevel.Error, Message = "Not in the audit log: {Record}: {Reason}")]
    private partial void LogLost(AuditRecord record, string reason);
}
