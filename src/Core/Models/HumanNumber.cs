using System.Globalization;

namespace OllamaMax.Models;

/// <summary>Counts as Ollama writes them (its <c>format.HumanNumber</c>): 999, 12K, 3.97M, 1.2B, 7B.</summary>
internal static class HumanNumber
{
    private const double Thousand = 1e3;
    private const double Million = 1e6;
    private const double Billion = 1e9;

    public static string Format(long count) => count switch
    {
        >= (long)Billion => Scale(count / Billion, "0.0", "B"),
        >= (long)Million => Scale(count / Million, "0.00", "M"),
        >= (long)Thousand => Scale(count / Thousand, "0", "K"),
        _ => count.ToString(CultureInfo.InvariantCulture),
    };

    private static string Scale(double number, string format, string unit) =>
        number.ToString(number == Math.Floor(number) ? "0" : format, CultureInfo.InvariantCulture) + unit;
}
