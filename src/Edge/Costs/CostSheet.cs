using System.Globalization;

namespace OllamaMax.Edge.Costs;

/// <summary>What counts come to at prices. Pure.</summary>
internal static class CostSheet
{
    /// <summary>A rate measured for less says nothing of a month.</summary>
    private static readonly TimeSpan LeastMeasured = TimeSpan.FromHours(1);

    private static readonly string[] NotCounted =
    [
        "storage operations of a worker after its last heartbeat, and large prompts that it reads",
        "executions of functions by timers and queues, and their time",
        "stored bytes and outbound traffic",
        "SignalR messages to browsers and to groups beyond what edges hear of them",
        "free grants and discounts",
    ];

    public static CostAnswer Of(CostMonth month, CostOptions prices)
    {
        DateTimeOffset first = new(month.Until.Year, month.Until.Month, 1, 0, 0, 0, TimeSpan.Zero);
        DateTimeOffset end = first.AddMonths(1);
        TimeSpan measured = month.Until - month.Since;
        // At this rate: what was measured goes on until the month's end. What was before the first count nobody knows.
        double? factor = measured >= LeastMeasured ? 1 + ((end - month.Until) / measured) : null;
        List<CostItem> items =
        [
            Item(CostNames.StorageReads, prices.StorageReads, 10_000),
            Item(CostNames.StorageWrites, prices.StorageWrites, 10_000),
            Item(CostNames.StorageLists, prices.StorageLists, 10_000),
            Item(CostNames.QueueOperations, prices.QueueOperations, 10_000),
            Item(CostNames.Requests, prices.Requests, 1_000_000),
            Messages(),
        ];
        List<string> notCounted = [.. NotCounted];
        if (prices.SignalRUnits is not { } units)
            notCounted.Add($"SignalR's units: say how many there are in {CostOptions.Section}:{nameof(CostOptions.SignalRUnits)}");
        else
            items.Add(new("signalr_unit_days", Math.Round(units * measured.TotalDays, 3), 1, prices.SignalRUnitDay, Math.Round(units * measured.TotalDays * prices.SignalRUnitDay, 4), Math.Round(units * (end - month.Since).TotalDays * prices.SignalRUnitDay, 4)));
        if (prices.FunctionMemoryMB is null)
            notCounted.Add($"the time of functions: say how many MB an instance has in {CostOptions.Section}:{nameof(CostOptions.FunctionMemoryMB)}");
        else if (prices.FunctionMemoryMB is > 0 and int megabytes)
            items.Add(Item(CostNames.BilledMilliseconds, megabytes / 1024.0 * prices.FunctionGigabyteSecond, 1000));
        return new(
            first.ToString("yyyy-MM", CultureInfo.InvariantCulture), prices.Currency, month.Since, month.Until, items,
            Math.Round(items.Sum(item => item.Cost), 4), factor is null ? null : Math.Round(items.Sum(item => item.MonthCost ?? 0), 4), notCounted);

        CostItem Item(string name, double price, long per) => Line(name, month.Counts.GetValueOrDefault(name), month.Counts.GetValueOrDefault(name), price, per);

        CostItem Messages()
        {
            long count = month.Counts.GetValueOrDefault(CostNames.SignalRMessages);
            // Included are those of each day; spread evenly, as by-day counts are not kept.
            double included = (prices.SignalRUnits ?? 0) * prices.SignalRUnitMessages * measured.TotalDays;
            double billed = prices.SignalRUnits is > 0 ? Math.Max(0, count - included) : 0;
            return Line(CostNames.SignalRMessages, count, billed, prices.SignalRMessages, 1_000_000);
        }

        CostItem Line(string name, long count, double billed, double price, long per)
        {
            double cost = billed / per * price;
            return new(name, count, per, price, Math.Round(cost, 4), factor is { } times ? Math.Round(cost * times, 4) : null);
        }
    }
}

/// <param name="Month">Of UTC.</param>
/// <param name="Since">From when on there were counts.</param>
/// <param name="Until">When this edge, or another one, has last added.</param>
/// <param name="Cost">Of what was counted.</param>
/// <param name="MonthCost">Until the month's end at this rate; left out before an hour was measured.</param>
/// <param name="NotCounted">What costs and is in none of the figures.</param>
internal sealed record CostAnswer(
    string Month, string Currency, DateTimeOffset Since, DateTimeOffset Until, IReadOnlyList<CostItem> Items, double Cost, double? MonthCost, IReadOnlyList<string> NotCounted);

/// <param name="Count">So far, of all edges.</param>
/// <param name="Per">The price is of so many.</param>
internal sealed record CostItem(string Name, double Count, long Per, double Price, double Cost, double? MonthCost);
