using OllamaMax.LocalHost.SignalR;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Split;

namespace OllamaMax.Chaos.Tests.Events;

/// <summary>Has events happen, and mends what they break.</summary>
internal sealed class Conductor(SplitSystem system, Pulse pulse)
{
    /// <summary>Clients that read nothing, as in an outage, hold up the next event for no longer than this.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    private readonly Dictionary<string, Task> _running = [];
    private readonly List<Incident> _incidents = [];

    public IReadOnlyList<Incident> Incidents => _incidents;

    /// <summary>Done when all events have happened and all is mended.</summary>
    public async Task PlayAsync(IEnumerable<ChaosEvent> plan, CancellationToken cancellationToken)
    {
        foreach (ChaosEvent next in plan)
        {
            await GapAsync(next.Gap, cancellationToken);
            if (_running.TryGetValue(next.Target, out Task? before))
                await before;
            Incident incident = new(next);
            _incidents.Add(incident);
            _running[next.Target] = HappenAsync(incident, cancellationToken);
        }
        await Task.WhenAll(_running.Values);
    }

    private async Task GapAsync(int beats, CancellationToken cancellationToken)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        await pulse.AfterAsync(beats, patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private async Task HappenAsync(Incident incident, CancellationToken cancellationToken)
    {
        ChaosEvent what = incident.What;
        WorkerSeat worker = system.Workers[what.Worker];
        switch (what.Kind)
        {
            case ChaosKind.KillWorker:
                await worker.KillAsync();
                await worker.StartAsync(cancellationToken);
                break;
            case ChaosKind.SuspendWorker:
                worker.Suspend();
                await LastAsync(what, cancellationToken);
                worker.Resume();
                break;
            case ChaosKind.KillModel:
                foreach (int pid in worker.ModelPids)
                    LocalSystem.Kill(pid);
                break;
            case ChaosKind.HangModel:
                IReadOnlyList<int> models = worker.SuspendModels();
                await LastAsync(what, cancellationToken);
                WorkerSeat.ResumeModels(models);
                break;
            case ChaosKind.Faults:
                system.SignalR.Faults.Options = SignalRFaultOptions.Parse(what.Faults);
                await LastAsync(what, cancellationToken);
                system.SignalR.Faults.Options = SignalRFaultOptions.None;
                break;
            case ChaosKind.StorageOutage:
                await system.StopStorageAsync();
                await LastAsync(what, cancellationToken);
                await system.StartStorageAsync(cancellationToken);
                break;
            case ChaosKind.SignalROutage:
                await system.StopSignalRAsync();
                await LastAsync(what, cancellationToken);
                await system.StartSignalRAsync(cancellationToken);
                break;
            case ChaosKind.KillEdge:
                await system.KillEdgeAsync();
                await system.StartEdgeAsync(cancellationToken);
                break;
        }
        incident.To = System.Diagnostics.Stopwatch.GetTimestamp();
    }

    /// <summary>An event has a length of its own: nothing is waited for here.</summary>
    private static async Task LastAsync(ChaosEvent what, CancellationToken cancellationToken)
    {
        using PeriodicTimer timer = new(what.Lasts);
        await timer.WaitForNextTickAsync(cancellationToken);
    }
}
