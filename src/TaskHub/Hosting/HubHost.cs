using Azure;
using Azure.Storage.Blobs;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Converters;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OllamaMax.Jobs;
using OllamaMax.TaskHub.Instances;
using OllamaMax.TaskHub.Storage;

namespace OllamaMax.TaskHub.Hosting;

/// <summary>
/// Runs the hub's orchestrations in this process while it has the hub's lease; otherwise another process does, and what is asked for here goes to it through
/// storage. Where nothing is open nobody has the lease, and the hub costs a listing now and then.
/// </summary>
internal sealed partial class HubHost : BackgroundService
{
    private readonly BlobContainerClient _container;
    private readonly TaskRegistry _registry;
    private readonly TaskHubOptions _options;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly ActivityRunner _activities;
    private readonly WakeSignal _wake;
    private volatile HubSession? _session;

    public HubHost(
        BlobContainerClient container, TaskRegistry registry, IServiceProvider services, TaskHubOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        _container = container;
        _registry = registry;
        _options = options;
        _time = time;
        _loggers = loggers;
        _logger = loggers.CreateLogger<HubHost>();
        _activities = new(registry, services, Converter, options.MaxActivities);
        _wake = new(time);
        Store = new(container);
    }

    public static DataConverter Converter => JsonDataConverter.Default;

    public InstanceStore Store { get; }

    public InstanceWatch Watch { get; } = new();

    /// <summary>False: there is one of this id.</summary>
    public async Task<bool> BeginAsync(InstanceRecord record, CancellationToken cancellationToken)
    {
        try
        {
            if (await Store.CreateAsync(record, cancellationToken) is not { } created)
                return false;
            _session?.Adopt(created);
            return true;
        }
        finally
        {
            // The session may be over at this moment, or the record written and only the answer lost: then the host looks again.
            _wake.Set();
        }
    }

    /// <summary>Ends when the command is in storage; the record after it, null where there is none.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<InstanceRecord?> AskAsync(string id, InstanceCommand command, CancellationToken cancellationToken)
    {
        if (_session is { Stopping.IsCancellationRequested: false } session)
        {
            try
            {
                return await session.AskAsync(id, command, cancellationToken);
            }
            catch (OperationCanceledException) when (session.Stopping.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                // The lease went meanwhile: as from any other process, then.
            }
        }
        InstanceRecord? record = await Store.UpdateAsync(id, command, _time, cancellationToken);
        _wake.Set();
        return record;
    }

    public override void Dispose()
    {
        _activities.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                bool isOpen = await TryHostAsync(stoppingToken);
                await _wake.WaitAsync(isOpen ? _options.SweepEvery : _options.LookEvery, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>Runs what is open until nothing is. True: something may be open still, and another process runs it, or could not be found out.</summary>
    private async Task<bool> TryHostAsync(CancellationToken stopping)
    {
        try
        {
            // The lease costs operations all the time: it is held only while there is something to do.
            if (!await AnyOpenAsync(stopping))
                return false;
            await using HubLease? lease = await HubLease.TryAcquireAsync(_container, _time, _logger, stopping);
            if (lease is not null)
                await HostAsync(lease, stopping);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            LogFailed(e);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            LogLost();
        }
        return true;
    }

    private async Task<bool> AnyOpenAsync(CancellationToken cancellationToken)
    {
        string? next = null;
        do
        {
            Microsoft.DurableTask.Page<InstanceItem> page = await Store.ListAsync("", next, HubSession.PageSize, cancellationToken);
            if (page.Values.Any(item => item.IsOpen))
                return true;
            next = page.ContinuationToken;
        }
        while (next is not null);
        return false;
    }

    private async Task HostAsync(HubLease lease, CancellationToken stopping)
    {
        using var until = CancellationTokenSource.CreateLinkedTokenSource(stopping, lease.Lost);
        await using HubSession session = new(lease.Epoch, Store, _registry, _activities, Watch, Converter, _time, _loggers, until.Token);
        LogHosting(lease.Epoch);
        _session = session;
        try
        {
            while (await TrySweepAsync(session))
                await Task.Delay(_options.SweepEvery, _time, session.Stopping);
        }
        finally
        {
            // Who comes from here on writes to storage and wakes the host again.
            _session = null;
        }
    }

    /// <summary>False: nothing is open any more.</summary>
    private async Task<bool> TrySweepAsync(HubSession session)
    {
        try
        {
            return await session.SweepAsync();
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            // The lease decides whether this host is still one; what is there already goes on.
            LogFailed(e);
            return true;
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The task hub is run by this process, epoch {Epoch}")]
    private partial void LogHosting(long epoch);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The task hub's lease went to another process")]
    private partial void LogLost();

    [LoggerMessage(Level = LogLevel.Warning, Message = "The task hub did not reach storage; trying again")]
    private partial void LogFailed(Exception exception);
}
