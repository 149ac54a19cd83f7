using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;

namespace OllamaMax.EndToEnd.Tests.Leading;

/// <summary>
/// Reads the leader's documents over and over and keeps what must never be seen: an epoch or a version that falls, an epoch of two leaders. Writes that follow each other faster
/// than it reads are seen as one, which hides no document that has fallen back.
/// </summary>
internal sealed class StateHistory : IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _stop = new();
    private readonly BlobContainerClient _container;
    private readonly Dictionary<long, string?> _leaders = [];
    private readonly List<string> _violations = [];
    private readonly Task _reading;

    public StateHistory(string storage)
    {
        _container = new BlobServiceClient(storage).GetBlobContainerClient("cluster");
        _reading = Task.WhenAll(ReadAsync("state"), ReadAsync("orphans"));
    }

    /// <summary>Ends the reading.</summary>
    public async Task<(IReadOnlyList<string> Violations, int Epochs)> EndAsync()
    {
        await _stop.CancelAsync();
        await _reading;
        return (_violations, _leaders.Count);
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _stop.Dispose();
    }

    private async Task ReadAsync(string name)
    {
        (long Epoch, long Version) before = default;
        using PeriodicTimer timer = new(Look);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                if (await DownloadAsync(name) is { } document)
                    before = Check(name, document, before);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
    }

    private (long Epoch, long Version) Check(string name, JsonElement document, (long Epoch, long Version) before)
    {
        long epoch = document.GetProperty("epoch").GetInt64(), version = document.GetProperty("version").GetInt64();
        string? leader = document.TryGetProperty("leader", out JsonElement id) ? id.GetString() : null;
        lock (_violations)
        {
            if (epoch < before.Epoch || version < before.Version)
                _violations.Add($"{name} has epoch {epoch}, version {version} after {before}");
            if (!_leaders.TryAdd(epoch, leader) && _leaders[epoch] != leader)
                _violations.Add($"epoch {epoch} belongs to {_leaders[epoch]} and to {leader}");
        }
        return (epoch, version);
    }

    private async Task<JsonElement?> DownloadAsync(string name)
    {
        try
        {
            return JsonElement.Parse((await _container.GetBlobClient(name).DownloadContentAsync(_stop.Token)).Value.Content.ToString());
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }
}
