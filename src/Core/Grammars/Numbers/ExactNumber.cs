using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace OllamaMax.Grammars.Numbers;

/// <summary>A decimal number as it is written, without rounding: <see cref="Digits"/> divided by ten to the power of <see cref="Scale"/>.</summary>
internal readonly partial record struct ExactNumber : IComparable<ExactNumber>
{
    private ExactNumber(BigInteger digits, int scale)
    {
        while (scale > 0 && digits % 10 == 0)
            (digits, scale) = (digits / 10, scale - 1);
        (Digits, Scale) = (digits, scale);
    }

    public BigInteger Digits { get; }

    /// <summary>Digits after the point, none of them in vain.</summary>
    public int Scale { get; }

    public static ExactNumber One { get; } = new(1, 0);

    public int Sign => Digits.Sign;

    public bool IsWhole => Scale == 0;

    /// <summary>The digits before the point, of the number without its sign.</summary>
    public string WholeDigits => (BigInteger.Abs(Digits) / BigInteger.Pow(10, Scale)).ToString(CultureInfo.InvariantCulture);

    /// <summary>The digits after the point; empty for a whole number.</summary>
    public string FractionDigits => Scale == 0 ? "" : BigInteger.Remainder(BigInteger.Abs(Digits), BigInteger.Pow(10, Scale))
        .ToString(CultureInfo.InvariantCulture).PadLeft(Scale, '0');

    public static ExactNumber Of(BigInteger whole) => new(whole, 0);

    /// <summary>Reads a number as JSON writes it.</summary>
    /// <returns>Null where it has more digits than <see cref="GrammarLimits"/> allows before or after the point.</returns>
    public static ExactNumber? Parse(string json)
    {
        Match parts = Form().Match(json);
        if (!parts.Success || json.Length > 2 * GrammarLimits.Digits
            || !int.TryParse(parts.Groups["exponent"].Value.PadLeft(1, '0'), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int exponent)
            || Math.Abs(exponent) > GrammarLimits.Digits)
        {
            return null;
        }
        string fraction = parts.Groups["fraction"].Value;
        BigInteger digits = BigInteger.Parse(parts.Groups["whole"].Value + fraction, CultureInfo.InvariantCulture);
        int scale = fraction.Length - exponent;
        ExactNumber number = scale < 0 ? new(digits * BigInteger.Pow(10, -scale), 0) : new(digits, scale);
        return number.Scale <= GrammarLimits.Digits && number.WholeDigits.Length <= GrammarLimits.Digits ? number : null;
    }

    public int CompareTo(ExactNumber other) => At(other.Scale).CompareTo(other.At(Scale));

    public ExactNumber Negate() => new(-Digits, Scale);

    public bool IsMultipleOf(ExactNumber step) => At(step.Scale) % step.At(Scale) == 0;

    /// <summary>The least number above zero that is a multiple of both.</summary>
    public ExactNumber LeastCommonMultiple(ExactNumber other)
    {
        BigInteger mine = At(other.Scale), theirs = other.At(Scale);
        return new(mine / BigInteger.GreatestCommonDivisor(mine, theirs) * theirs, Math.Max(Scale, other.Scale));
    }

    public override string ToString() =>
        (Sign < 0 ? "-" : "") + WholeDigits + (Scale == 0 ? "" : "." + FractionDigits);

    /// <summary>The digits at no less than this scale.</summary>
    private BigInteger At(int scale) => scale <= Scale ? Digits : Digits * BigInteger.Pow(10, scale - Scale);

    [GeneratedRegex("^(?<whole>-?[0-9]+)(?:\\.(?<fraction>[0-9]+))?(?:[eE](?<exponent>[-+]?[0-9]{1,4}))?$", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
