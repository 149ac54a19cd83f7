using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using OllamaMax.Cluster;
using OllamaMax.Leases;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Costs;

/// <summary>
/// Adds what this edge has counted to the month's document, seldom, as that costs operations itself: a kill -9 loses what was counted since. One document for all edges, each adding under
/// the tag it has read, so there is nothing to roll up.
/// </summary>
internal sealed partial class CostBook(IDocumentStore store, IEnumerable<CostSource> sources, Func<IReadOnlyList<WorkerReport>?> workers, TimeProvider time, ILogger<CostBook> logger)
    : PeriodicFlush(FlushEvery, time)
{
    private static readonly TimeSpan FlushEvery = TimeSpan.FromMinutes(10);

    /// <summary>Edges that get in between, each once: more than add at a time.</summary>
    private const int MostTries = 50;

    private readonly CostSource[] _sources = [.. sources];
    private readonly Dictionary<string, long> _told = [];

    // Never disposed of: the last flush may outlast the edge's services.
    private readonly SemaphoreSlim _oneAtATime = new(1);

    private DateTimeOffset _from = time.GetUtcNow();

    /// <summary>The month so far, with what this edge has counted until now.</summary>
    /// <exception cref="StoreException">Storage cannot be reached, or refused.</exception>
    /// <exception cref="DocumentException">The document cannot be read.</exception>
    public async Task<CostMonth> FlushAsync(CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            return await FlushOneAtATimeAsync(cancellationToken);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>Where the month has turned since the last time, what was counted in between is the new one's: ten minutes of it at the most.</summary>
    private async Task<CostMonth> FlushOneAtATimeAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset now = Time.GetUtcNow();
        DateTimeOffset first = new(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero);
        Dictionary<string, long> totals = _sources.ToDictionary(source => source.Name, source => source.Total());
        Dictionary<string, long> more = totals.ToDictionary(total => total.Key, total => total.Value - _told.GetValueOrDefault(total.Key));
        CostMonth month = await AddAsync(Name(now), more, _from > first ? _from : first, now, cancellationToken);
        foreach (var (name, total) in totals)
            _told[name] = total;
        _from = now;
        return month;
    }

    private async Task<CostMonth> AddAsync(
        string name, Dictionary<string, long> more, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken)
    {
        byte[]? tried = null;
        for (int tries = 0; tries < MostTries; tries++)
        {
            StoredDocument? stored = await store.ReadAsync(name, known: null, cancellationToken);
            // Storage's client repeats a write whose answer was lost, and is told then that somebody has been there: this edge.
            if (stored is not null && tried is not null && stored.Content.Span.SequenceEqual(tried))
                return Parse(name, stored);
            CostMonth sum = CostMonth.Add(stored is null ? null : Parse(name, stored), more, from, to);
            if (workers() is { } reports)
                sum = sum.Add(reports);
            tried = JsonSerializer.SerializeToUtf8Bytes(sum, CostJson.Default.CostMonth);
            if (await store.WriteAsync(name, tried, stored, cancellationToken) is not null)
                return sum;
        }
        throw new StoreException($"{name} was changed by others {MostTries} times in a row", new InvalidOperationException("too many writers"));
    }

    private static CostMonth Parse(string name, StoredDocument stored)
    {
        try
        {
            return JsonSerializer.Deserialize(stored.Content.Span, CostJson.Default.CostMonth) is { Schema: > 0 and <= CostMonth.CurrentSchema, Counts: not null } month
                ? month
                : throw new DocumentException(name, $"its schema is none that this version knows ({CostMonth.CurrentSchema} at most)");
        }
        catch (JsonException e)
        {
            throw new DocumentException(name, $"it is damaged ({e.Message}); delete it to begin the month's counts anew", e);
        }
    }

    private static string Name(DateTimeOffset now) => $"costs-{now.ToString("yyyy-MM", CultureInfo.InvariantCulture)}";

    protected override async Task TryFlushAsync(bool last, CancellationToken cancellationToken)
    {
        try
        {
            await FlushAsync(cancellationToken);
        }
        catch (Exception e) when (e is StoreException or DocumentException)
        {
            LogNotTold(e);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What was counted for the costs is not added yet")]
    private partial void LogNotTold(Exception exception);
}
