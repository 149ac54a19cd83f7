using System.Globalization;
using System.Text;

namespace OllamaMax.Edge.Templates;

/// <summary>
/// Python's <c>strftime</c> as far as chat templates use it; always in UTC and English, so that every edge renders the same
/// prompt.
/// </summary>
internal static class Strftime
{
    public static string Format(DateTimeOffset time, string format)
    {
        StringBuilder text = new();
        for (int i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                text.Append(format[i]);
                continue;
            }
            bool unpadded = format[i + 1] == '-' && i + 2 < format.Length;
            i += unpadded ? 2 : 1;
            string value = Directive(time, format[i]);
            text.Append(unpadded && value.Length > 1 ? value.TrimStart('0').PadLeft(1, '0') : value);
        }
        return text.ToString();
    }

    private static string Directive(DateTimeOffset time, char directive) => directive switch
    {
        'Y' => Number(time.Year, 4),
        'y' => Number(time.Year % 100, 2),
        'm' => Number(time.Month, 2),
        'd' => Number(time.Day, 2),
        'H' => Number(time.Hour, 2),
        'I' => Number((time.Hour + 11) % 12 + 1, 2),
        'M' => Number(time.Minute, 2),
        'S' => Number(time.Second, 2),
        'j' => Number(time.DayOfYear, 3),
        'p' => time.Hour < 12 ? "AM" : "PM",
        'A' => time.ToString("dddd", CultureInfo.InvariantCulture),
        'a' => time.ToString("ddd", CultureInfo.InvariantCulture),
        'B' => time.ToString("MMMM", CultureInfo.InvariantCulture),
        'b' => time.ToString("MMM", CultureInfo.InvariantCulture),
        'F' => Format(time, "%Y-%m-%d"),
        'T' => Format(time, "%H:%M:%S"),
        'Z' => "UTC",
        'z' => "+0000",
        '%' => "%",
        _ => "%" + directive,
    };

    private static string Number(int value, int digits) => value.ToString("D" + digits, CultureInfo.InvariantCulture);
}
