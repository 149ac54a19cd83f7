using System.Globalization;

namespace OllamaMax.Chaos.Tests.Events;

/// <summary>All that will go wrong, drawn from one seed.</summary>
internal static class ChaosPlan
{
    private static readonly ChaosKind[] Deck =
    [
        ChaosKind.KillWorker, ChaosKind.KillWorker, ChaosKind.KillWorker, ChaosKind.SuspendWorker, ChaosKind.SuspendWorker, ChaosKind.KillModel, ChaosKind.HangModel,
        ChaosKind.Faults, ChaosKind.Faults, ChaosKind.StorageOutage, ChaosKind.SignalROutage, ChaosKind.KillEdge,
    ];

    /// <summary>Without end: every kind comes as often as in the deck, then the deck is shuffled anew.</summary>
    public static IEnumerable<ChaosEvent> Draw(int seed, int workers)
    {
        Random random = new(seed);
        while (true)
        {
            ChaosKind[] deck = [.. Deck];
            random.Shuffle(deck);
            foreach (ChaosKind kind in deck)
            {
                // Drawn for every event, so that what follows does not depend on its kind.
                int worker = random.Next(workers), gap = random.Next(10, 60);
                TimeSpan lasts = TimeSpan.FromSeconds(1 + (2.5 * random.NextDouble()));
                string faults = string.Create(
                    CultureInfo.InvariantCulture,
                    $"seed={random.Next(1000)},drop=0.0{random.Next(8)},double=0.0{random.Next(8)},reorder=0.{random.Next(3)},delay=1-{random.Next(10, 80)}ms,"
                    + $"throttle=0.0{random.Next(5)},reconnect={random.Next(60, 200)}");
                // A decoder's standstill takes longest to be found out: some end before that, some after it.
                yield return new(kind, worker, kind switch { ChaosKind.SuspendWorker => lasts * 2, ChaosKind.HangModel => lasts * 3, _ => lasts }, gap, faults);
            }
        }
    }

    /// <summary>Events of one deck.</summary>
    public static int DeckSize => Deck.Length;
}
