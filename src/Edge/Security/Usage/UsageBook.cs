using System.Text.Json;
using Azure;
using Microsoft.Extensions.Logging;
using OllamaMax.Security;
using OllamaMax.Storage.Security;

namespace OllamaMax.Edge.Security.Usage;

/// <summary>
/// What was used, by day, key and model. Added up here and told to storage every few seconds: a kill -9 loses that much, and requests pay nothing.
/// </summary>
internal sealed partial class UsageBook(UsageStore store, CredentialNames names, TimeProvider time, ILogger<UsageBook> logger) : PeriodicFlush(FlushEvery, time)
{
    private static readonly TimeSpan FlushEvery = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();

    // Never disposed of: the last flush may outlast the edge's services.
    private readonly SemaphoreSlim _oneAtATime = new(1);

    private Dictionary<(DateOnly Day, string Tenant, string Credential), Dictionary<string, UseCount>> _counts = [];

    /// <summary>Tried, and not known to have arrived: it is tried again as it is, as storage would take the same in another form for more.</summary>
    private (DayUsage Usage, string Addition)? _inDoubt;

    public void Add(string tenant, string credential, string model, UseCount count)
    {
        DateOnly day = DateOnly.FromDateTime(Time.GetUtcNow().UtcDateTime);
        lock (_lock)
            Add_NeedsLock((day, tenant, credential), model, count);
    }

    /// <summary>Done when all that was added before stands in storage.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached: later again.</exception>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        // What another flush has taken and not yet written was added before, too.
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            await FlushOneAtATimeAsync(cancellationToken);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private async Task FlushOneAtATimeAsync(CancellationToken cancellationToken)
    {
        if (_inDoubt is { } before)
            await WriteAsync(before, cancellationToken);
        Dictionary<(DateOnly Day, string Tenant, string Credential), Dictionary<string, UseCount>> counts;
        lock (_lock)
            (counts, _counts) = (_counts, []);
        try
        {
            foreach (var (of, models) in counts)
            {
                counts.Remove(of);
                await WriteAsync((new(of.Day, of.Tenant, of.Credential, models) { Name = names.Find(of.Tenant, of.Credential) }, Guid.NewGuid().ToString("n")), cancellationToken);
            }
        }
        finally
        {
            // What was not tried waits for the next time.
            lock (_lock)
            {
                foreach (var (of, models) in counts)
                {
                    foreach (var (model, count) in models)
                        Add_NeedsLock(of, model, count);
                }
            }
        }
    }

    private async Task WriteAsync((DayUsage Usage, string Addition) more, CancellationToken cancellationToken)
    {
        _inDoubt = more;
        try
        {
            await store.AddAsync(more.Usage, more.Addition, cancellationToken);
        }
        catch (RequestFailedException e) when (e.Status is 400 or 413)
        {
            // It would be refused again, and everybody else's wait behind it for good.
            LogSetAside(e, JsonSerializer.Serialize(more.Usage, SecurityJson.Default.DayUsage));
        }
        _inDoubt = null;
    }

    protected override async Task TryFlushAsync(bool last, CancellationToken cancellationToken)
    {
        try
        {
            await FlushAsync(cancellationToken);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException or InvalidOperationException)
        {
            LogNotTold(e);
        }
    }

    private void Add_NeedsLock((DateOnly Day, string Tenant, string Credential) of, string model, UseCount count)
    {
        if (!_counts.TryGetValue(of, out Dictionary<string, UseCount>? models))
            _counts.Add(of, models = []);
        models[model] = models.TryGetValue(model, out UseCount? before) ? before.Add(count) : count;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "What was used cannot be written, and is counted by this line alone: {Usage}")]
    private partial void LogSetAside(Exception exception, string usage);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What was used could not be written; later again")]
    private partial void LogNotTold(Exception exception);
}
