using System.Globalization;

namespace OllamaMax.LocalHost.SignalR;

/// <summary>
/// How the surface is to misbehave, in the ways in which the cloud's service may. Probabilities are from 0 to 1 and per send.
/// </summary>
public sealed record SignalRFaultOptions
{
    public static readonly SignalRFaultOptions None = new();

    /// <summary>Of the chance behind all the others: the same seed and sends give the same faults.</summary>
    public int Seed { get; init; }

    /// <summary>Taken (202) and never delivered.</summary>
    public double Drop { get; init; }

    /// <summary>Delivered twice.</summary>
    public double Duplicate { get; init; }

    /// <summary>Delivered after the next one to the same destination, or alone after <see cref="HoldBack"/>.</summary>
    public double Reorder { get; init; }

    /// <summary>How long a message to be reordered waits for one to let pass.</summary>
    public TimeSpan HoldBack { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Each delivery waits a time between these two, evenly spread. Delays differ, so they reorder as well.</summary>
    public TimeSpan MinDelay { get; init; }

    public TimeSpan MaxDelay { get; init; }

    /// <summary>Refused with 429.</summary>
    public double Throttle { get; init; }

    /// <summary>Sends per second; what is above is refused with 429. 0: no cap. One unit of Azure's takes about 200 to users.</summary>
    public int Cap { get; init; }

    /// <summary>What a 429 says in Retry-After; whole seconds.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A user's connections are cut each time one of them has received so many messages. 0: never.</summary>
    public int Reconnect { get; init; }

    /// <summary>
    /// Reads <c>seed=1,drop=0.05,double=0.05,reorder=0.1,holdback=50ms,delay=5-50ms,throttle=0.01,cap=200,retry=1s,reconnect=500</c>;
    /// every part may be left out, an empty text is <see cref="None"/>.
    /// </summary>
    /// <exception cref="FormatException">Names all that is wrong.</exception>
    public static SignalRFaultOptions Parse(string text)
    {
        SignalRFaultOptions options = None;
        List<string> errors = [];
        foreach (string part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            string[] pair = part.Split('=', 2, StringSplitOptions.TrimEntries);
            if (pair.Length == 2 && options.With(pair[0], pair[1]) is { } changed)
                options = changed;
            else
                errors.Add(part);
        }
        return errors.Count == 0 ? options : throw new FormatException($"SignalR faults, not understood: {string.Join(", ", errors)}");
    }

    /// <returns>Null: no such name, or a value that it does not take.</returns>
    private SignalRFaultOptions? With(string name, string value) => name switch
    {
        "seed" => int.TryParse(value, CultureInfo.InvariantCulture, out int seed) ? this with { Seed = seed } : null,
        "drop" => Probability(value) is { } p ? this with { Drop = p } : null,
        "double" => Probability(value) is { } p ? this with { Duplicate = p } : null,
        "reorder" => Probability(value) is { } p ? this with { Reorder = p } : null,
        "throttle" => Probability(value) is { } p ? this with { Throttle = p } : null,
        "holdback" => Duration(value) is { } time ? this with { HoldBack = time } : null,
        "retry" => Duration(value) is { } time ? this with { RetryAfter = time } : null,
        "cap" => Count(value) is { } count ? this with { Cap = count } : null,
        "reconnect" => Count(value) is { } count ? this with { Reconnect = count } : null,
        "delay" => WithDelay(value),
        _ => null,
    };

    private SignalRFaultOptions? WithDelay(string value)
    {
        // "5-50ms": the unit stands once.
        string[] range = value.Split('-', 2);
        string unit = value.EndsWith("ms", StringComparison.Ordinal) ? "ms" : "s";
        TimeSpan? min = Duration(range.Length == 2 ? range[0] + unit : value);
        TimeSpan? max = Duration(range[^1]);
        return min <= max ? this with { MinDelay = min.Value, MaxDelay = max.Value } : null;
    }

    private static double? Probability(string value) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double p) && p is >= 0 and <= 1 ? p : null;

    private static int? Count(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count : null;

    private static TimeSpan? Duration(string value)
    {
        bool milliseconds = value.EndsWith("ms", StringComparison.Ordinal);
        if (!milliseconds && !value.EndsWith('s'))
            return null;
        string number = value[..^(milliseconds ? 2 : 1)];
        if (!double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double amount) || amount > 3_600_000)
            return null;
        return milliseconds ? TimeSpan.FromMilliseconds(amount) : TimeSpan.FromSeconds(amount);
    }
}
