namespace OllamaMax.Chaos.Tests.Events;

/// <summary>Something that goes wrong.</summary>
/// <param name="Kind">What.</param>
/// <param name="Worker">Which one, from 0; where the kind is one of workers.</param>
/// <param name="Lasts">Until it is mended; where the kind does not mend itself.</param>
/// <param name="Gap">Pieces of text that clients read before it happens, counted from the event before it.</param>
/// <param name="Faults">Of the SignalR surface.</param>
internal sealed record ChaosEvent(ChaosKind Kind, int Worker, TimeSpan Lasts, int Gap, string Faults)
{
    /// <summary>What it needs for itself: events with the same one come one after the other.</summary>
    public string Target => Kind switch
    {
        ChaosKind.KillWorker or ChaosKind.SuspendWorker or ChaosKind.KillModel or ChaosKind.HangModel => $"worker {Worker}",
        // An edge cannot start without storage, nor can faults be set on a surface that is not there.
        _ => "the rest",
    };

    public override string ToString() => Kind switch
    {
        ChaosKind.KillWorker or ChaosKind.KillModel => $"{Kind} {Worker}",
        ChaosKind.SuspendWorker or ChaosKind.HangModel => $"{Kind} {Worker} for {Lasts.TotalSeconds:0.0} s",
        ChaosKind.Faults => $"{Kind} {Faults} for {Lasts.TotalSeconds:0.0} s",
        _ => $"{Kind} for {Lasts.TotalSeconds:0.0} s",
    };
}

internal enum ChaosKind
{
    /// <summary>kill -9 of a worker; another process takes its place.</summary>
    KillWorker,

    /// <summary>SIGSTOP, and SIGCONT later.</summary>
    SuspendWorker,

    /// <summary>kill -9 of the process that holds a worker's model; the worker lives.</summary>
    KillModel,

    /// <summary>SIGSTOP of the process that holds a worker's model, under a worker that lives, and SIGCONT later, unless the worker has killed it by then.</summary>
    HangModel,

    /// <summary>The SignalR surface loses, doubles, delays, reorders, refuses and cuts.</summary>
    Faults,

    /// <summary>Azurite ends, and starts again later.</summary>
    StorageOutage,

    /// <summary>The SignalR surface ends, and starts again later.</summary>
    SignalROutage,

    /// <summary>kill -9 of the edge; another one takes its place.</summary>
    KillEdge,
}
