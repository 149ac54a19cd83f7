using System.Text.Json;
using System.Text.RegularExpressions;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Specialized;
using OllamaMax.LocalHost.Azurite;
using OllamaMax.TestKit;

namespace OllamaMax.EndToEnd.Tests.Leading;

/// <summary>A local host with several edges over an Azurite that the test has a hand in; the shortest lease that storage takes.</summary>
internal sealed partial class EdgeGroup : IAsyncDisposable
{
    public const int Count = 3;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private readonly AzuriteProcess _azurite;
    private readonly IReadOnlyList<TcpRelay> _relays;
    private readonly LocalSystem _system;
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(2) };
    private readonly Uri[] _edges;

    private EdgeGroup(AzuriteProcess azurite, IReadOnlyList<TcpRelay> relays, LocalSystem system)
    {
        (_azurite, _relays, _system) = (azurite, relays, system);
        _edges = [.. system.Output.Lines.Select(line => Listens().Match(line)).Where(match => match.Success).Select(match => new Uri(match.Groups[1].Value))];
        History = new StateHistory(azurite.ConnectionString);
    }

    public StateHistory History { get; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<EdgeGroup> StartAsync()
    {
        AzuriteProcess azurite = await AzuriteFixture.StartAsync(location: null, Cancellation);
        TcpRelay blobs = new(azurite.Endpoints.BlobPort), queues = new(azurite.Endpoints.QueuePort);
        LocalSystem system = await LocalSystem.StartAsync(
            new()
            {
                Workers = 0,
                MoreArguments = ["--edges", $"{Count}"],
                Environment = new Dictionary<string, string?>
                {
                    ["AzureWebJobsStorage"] = (azurite.Endpoints with { BlobPort = blobs.Port, QueuePort = queues.Port }).ConnectionString,
                    ["OllamaMax__Cluster__LeaseTime"] = "00:00:15",
                    ["OllamaMax__Cluster__Tick"] = "00:00:00.500",
                },
            },
            Cancellation);
        return new(azurite, [blobs, queues], system);
    }

    /// <summary>Waits until all edges but those left out name the same leader, one of them, in an epoch beyond <paramref name="after"/>.</summary>
    /// <param name="without">Edges that do not answer.</param>
    public async Task<IReadOnlyList<EdgeStatus>> AgreeAsync(long after, params EdgeStatus[] without)
    {
        Uri[] asked = [.. _edges.Except(without.Select(edge => edge.Address))];
        EdgeStatus[] all = [];
        using PeriodicTimer timer = new(Look);
        try
        {
            while (true)
            {
                all = [.. (await Task.WhenAll(asked.Select(AskAsync))).OfType<EdgeStatus>()];
                if (all.Length == asked.Length && all.Select(edge => (edge.Leader, edge.Epoch)).Distinct().Count() == 1
                    && all[0].Epoch > after && all.Any(edge => edge.Id == edge.Leader))
                    return all;
                await timer.WaitForNextTickAsync(Cancellation);
            }
        }
        catch (OperationCanceledException e) when (Cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException($"{asked.Length} edges do not agree in an epoch beyond {after}:\n{string.Join('\n', all.AsEnumerable())}", e, Cancellation);
        }
    }

    /// <summary>As an operator would.</summary>
    public async Task BreakLeaseAsync() => await new BlobClient(_azurite.ConnectionString, "cluster", "leader").GetBlobLeaseClient().BreakAsync(TimeSpan.Zero, cancellationToken: Cancellation);

    /// <summary>Cuts an edge off from storage; null: no edge any more.</summary>
    public void CutOff(EdgeStatus? edge)
    {
        foreach (TcpRelay relay in _relays)
            relay.CutOff(port => edge is not null && LinuxProcesses.HasConnectionFrom(edge.Pid, port));
    }

    public async ValueTask DisposeAsync()
    {
        await History.DisposeAsync();
        await _system.DisposeAsync();
        foreach (TcpRelay relay in _relays)
            await relay.DisposeAsync();
        await _azurite.DisposeAsync();
        _client.Dispose();
    }

    /// <summary>Null where it does not answer.</summary>
    private async Task<EdgeStatus?> AskAsync(Uri edge)
    {
        try
        {
            JsonElement status = JsonElement.Parse(await _client.GetStringAsync(new Uri(edge, "/cluster/status"), Cancellation));
            JsonElement own = status.GetProperty("edge");
            return new(
                edge,
                own.GetProperty("id").GetString()!,
                own.GetProperty("pid").GetInt32(),
                status.GetProperty("leader") is { ValueKind: JsonValueKind.Object } leader ? leader.GetProperty("id").GetString() : null,
                status.GetProperty("epoch") is { ValueKind: JsonValueKind.Number } epoch ? epoch.GetInt64() : 0);
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !Cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    [GeneratedRegex("^edge-[0-9]+ listens on (.*)$")]
    private static partial Regex Listens();
}

/// <param name="Id">Of the edge that was asked.</param>
/// <param name="Leader">Whom it names.</param>
internal sealed record EdgeStatus(Uri Address, string Id, int Pid, string? Leader, long Epoch);
