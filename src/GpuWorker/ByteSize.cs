using System.Globalization;

namespace OllamaMax.GpuWorker;

/// <summary>Amounts of memory or disk as people write them: <c>24G</c>, <c>800M</c>, <c>1.5TiB</c>, binary, or a number of bytes.</summary>
public static class ByteSize
{
    private const string Units = "KMGT";

    /// <exception cref="ArgumentException">It is none; the message names <paramref name="option"/>.</exception>
    public static long Parse(string text, string option, long least = 1) => TryParse(text, least) ?? throw new ArgumentException(FindError(text, option, least));

    /// <summary>Null, or why it is none.</summary>
    public static string? FindError(string text, string option, long least = 1) =>
        TryParse(text, least) is null ? $"{option} {text} is no amount of bytes, such as 24G, 800M or a number of bytes" : null;

    private static long? TryParse(string text, long least)
    {
        string number = text.Trim().ToUpperInvariant();
        if (number.EndsWith('B'))
            number = number[..^1];
        if (number.EndsWith('I'))
            number = number[..^1];
        int unit = number.Length > 0 ? Units.IndexOf(number[^1]) : -1;
        double factor = Math.Pow(1024, unit + 1);
        bool isNumber = double.TryParse(unit < 0 ? number : number[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value);
        return isNumber && value * factor >= least && value * factor < long.MaxValue
            ? (long)(value * factor)
            : null;
    }
}
